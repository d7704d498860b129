#include "services/judge/clients/provider_flags.h"

#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "common/status/status_matchers.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

config::EnvLookup Environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::trunc) << text;
  return path;
}

ProviderConfig Named(const ProviderFlags& flags, const std::string& name,
                     std::map<std::string, std::string> variables = {}) {
  auto providers = ResolveProviders(flags, Environment(std::move(variables)));
  EXPECT_OK(providers);
  if (!providers.ok()) return {};
  for (const ProviderConfig& provider : *providers) {
    if (provider.name == name) return provider;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

TEST(ResolveProvidersTest, EachSaysWhatItLacks) {
  EXPECT_THAT(Named({}, "openai").missing, HasSubstr("OPENAI_API_KEY or --openai_api_key_file"));
  EXPECT_THAT(Named({}, "groq").missing, HasSubstr("GROQ_API_KEY or --provider=name=groq"));
  EXPECT_THAT(Named({}, "azure").missing, HasSubstr("AZURE_OPENAI_API_KEY"));
  EXPECT_THAT(Named({}, "azure", {{"AZURE_OPENAI_API_KEY", "k"}}).missing,
              HasSubstr("AZURE_OPENAI_ENDPOINT or --azure_base_url"));
  EXPECT_THAT(Named({}, "bedrock").missing, HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(
      Named({}, "bedrock", {{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}}).missing,
      HasSubstr("--bedrock_region"));
  EXPECT_THAT(Named({}, "ollama").missing, IsEmpty());
}

TEST(ResolveProvidersTest, ClientCredentialsStandInAKeysPlace) {
  const ProviderConfig databricks = Named({}, "databricks",
                                          {{"DATABRICKS_HOST", "adb.test"},
                                           {"DATABRICKS_CLIENT_ID", "me"},
                                           {"DATABRICKS_CLIENT_SECRET", "s"}});
  EXPECT_THAT(databricks.missing, IsEmpty());
  EXPECT_EQ(databricks.oauth.token_url, "https://adb.test/oidc/v1/token");
  EXPECT_TRUE(databricks.oauth.basic_auth);
  const ProviderConfig azure = Named({}, "azure",
                                     {{"AZURE_OPENAI_ENDPOINT", "https://r.test"},
                                      {"AZURE_TENANT_ID", "t-1"},
                                      {"AZURE_CLIENT_ID", "me"},
                                      {"AZURE_CLIENT_SECRET", "s"}});
  EXPECT_THAT(azure.missing, IsEmpty());
  EXPECT_EQ(azure.oauth.token_url, "https://login.microsoftonline.com/t-1/oauth2/v2.0/token");
  const ProviderConfig keyed = Named({}, "azure",
                                     {{"AZURE_OPENAI_API_KEY", "k"},
                                      {"AZURE_TENANT_ID", "t"},
                                      {"AZURE_CLIENT_ID", "me"},
                                      {"AZURE_CLIENT_SECRET", "s"}});
  EXPECT_EQ(keyed.api_key, "k");
  EXPECT_THAT(keyed.oauth.client_id, IsEmpty()) << "a key goes first";
}

TEST(ResolveProvidersTest, EndpointsTakeClientCredentials) {
  ProviderFlags flags;
  flags.endpoint = {
      "name=gate,url=https://gate.test/v1,client_id=me,client_secret_env=GATE_SECRET,"
      "token_url=https://login.test/token,token_scope=models"};
  const ProviderConfig gate = Named(flags, "gate", {{"GATE_SECRET", "s"}});
  EXPECT_EQ(gate.oauth.client_secret, "s");
  EXPECT_EQ(gate.oauth.scope, "models");
  EXPECT_THAT(ResolveProviders(flags, Environment({})), HasReason("INVALID_FLAG"));
  for (const char* wrong :
       {"client_id=me,token_url=https://l.test", "client_secret_env=GATE_SECRET",
        "client_id=me,client_secret_env=GATE_SECRET",
        "client_id=me,client_secret_env=GATE_SECRET,token_url=https://l.test,"
        "api_key_env=GATE_SECRET"}) {
    flags.endpoint = {StrCat("name=gate,url=https://gate.test/v1,", wrong)};
    EXPECT_THAT(ResolveProviders(flags, Environment({{"GATE_SECRET", "s"}})),
                HasReason("INVALID_FLAG"))
        << wrong;
  }
}

TEST(ResolveProvidersTest, AmazonsRolesAreFoundByTheirVariables) {
  const std::map<std::string, std::string> region = {{"AWS_REGION", "eu-west-1"}};
  EXPECT_EQ(Named({}, "bedrock", region).aws.role.giver, AwsRole::Giver::kNone)
      << "a machine's role is asked for only where that is configured";
  std::map<std::string, std::string> variables = region;
  variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/var/run/token";
  variables["AWS_ROLE_ARN"] = "arn";
  const ProviderConfig identity = Named({}, "bedrock", variables);
  EXPECT_THAT(identity.missing, IsEmpty());
  EXPECT_EQ(identity.aws.role.giver, AwsRole::Giver::kWebIdentity);
  EXPECT_EQ(identity.aws.role.url, "https://sts.eu-west-1.amazonaws.com");
  variables = region;
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x";
  EXPECT_EQ(Named({}, "bedrock", variables).aws.role.url, "http://169.254.170.2/v2/x");
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "";
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://anywhere.test/x";
  EXPECT_THAT(ResolveProviders({}, Environment(variables)), HasReason("INVALID_FLAG"));
  ProviderFlags flags;
  flags.bedrock_instance_role = true;
  EXPECT_EQ(Named(flags, "bedrock", region).aws.role.url, "http://169.254.169.254");
  variables = region;
  variables["AWS_ACCESS_KEY_ID"] = "a";
  variables["AWS_SECRET_ACCESS_KEY"] = "b";
  EXPECT_EQ(Named(flags, "bedrock", variables).aws.role.giver, AwsRole::Giver::kNone);
}

TEST(ResolveProvidersTest, SaysWhatTheModelsCanDo) {
  EXPECT_TRUE(Named({}, "openai").schema_with_tools);
  EXPECT_TRUE(Named({}, "anthropic").schema_with_tools);
  EXPECT_FALSE(Named({}, "groq").schema_with_tools);
  EXPECT_EQ(Named({}, "openai").max_input_tokens, 0);
  EXPECT_EQ(Named({}, "ollama").max_input_tokens, 4'096);
  ProviderFlags flags;
  flags.provider = {"name=openai,schema_with_tools=false,max_input_tokens=50000"};
  flags.endpoint = {
      "name=local,url=http://127.0.0.1:1/v1,schema_with_tools=true,max_input_tokens=8192",
      "name=gate,url=https://gate.test,dialect=anthropic", "name=plain,url=http://127.0.0.1:2"};
  EXPECT_FALSE(Named(flags, "openai").schema_with_tools);
  EXPECT_EQ(Named(flags, "openai").max_input_tokens, 50'000);
  EXPECT_TRUE(Named(flags, "local").schema_with_tools);
  EXPECT_EQ(Named(flags, "local").max_input_tokens, 8'192);
  EXPECT_TRUE(Named(flags, "gate").schema_with_tools);
  EXPECT_FALSE(Named(flags, "plain").schema_with_tools);
  for (const char* wrong : {"schema_with_tools=yes", "max_input_tokens=12", "max_input_tokens=x"}) {
    flags.endpoint = {StrCat("name=local,url=http://127.0.0.1:1/v1,", wrong)};
    EXPECT_THAT(ResolveProviders(flags, Environment({})), HasReason("INVALID_FLAG")) << wrong;
  }
}

TEST(ResolveProvidersTest, PresetsNeedTheirKeyOnly) {
  const ProviderConfig groq = Named({}, "groq", {{"GROQ_API_KEY", "k"}});
  EXPECT_THAT(groq.missing, IsEmpty());
  EXPECT_EQ(groq.base_url, "https://api.groq.com/openai/v1");
  EXPECT_FALSE(groq.private_addresses);
  EXPECT_TRUE(Named({}, "ollama").private_addresses);
}

TEST(ResolveProvidersTest, DatabricksHostsNeedNoScheme) {
  const ProviderConfig provider =
      Named({}, "databricks", {{"DATABRICKS_HOST", "adb-1.test/"}, {"DATABRICKS_TOKEN", "t"}});
  EXPECT_EQ(provider.base_url, "https://adb-1.test");
  EXPECT_THAT(provider.missing, IsEmpty());
}

TEST(ResolveProvidersTest, BedrockTakesKeysFromEnvironmentOrFile) {
  const ProviderConfig by_env = Named({}, "bedrock",
                                      {{"AWS_ACCESS_KEY_ID", "a"},
                                       {"AWS_SECRET_ACCESS_KEY", "b"},
                                       {"AWS_SESSION_TOKEN", "c"},
                                       {"AWS_REGION", "eu-west-1"}});
  EXPECT_EQ(by_env.base_url, "https://bedrock-runtime.eu-west-1.amazonaws.com");
  EXPECT_EQ(by_env.aws.session_token, "c");
  EXPECT_THAT(by_env.missing, IsEmpty());
  ProviderFlags flags;
  flags.bedrock_region = "us-east-1";
  flags.bedrock_credentials_file =
      WriteFile("aws", "[work]\naws_access_key_id=A\naws_secret_access_key=B\n");
  const ProviderConfig by_file = Named(flags, "bedrock", {{"AWS_PROFILE", "work"}});
  EXPECT_EQ(by_file.aws.access_key_id, "A");
  EXPECT_EQ(by_file.aws.credentials_file, flags.bedrock_credentials_file);
  EXPECT_THAT(ResolveProviders(flags, Environment({})),
              HasFieldViolation("bedrock_credentials_file"));
  const ProviderConfig by_token =
      Named({}, "bedrock", {{"AWS_BEARER_TOKEN_BEDROCK", "t"}, {"AWS_REGION", "eu-west-1"}});
  EXPECT_EQ(by_token.api_key, "t");
  EXPECT_THAT(by_token.missing, IsEmpty());
}

TEST(ResolveProvidersTest, ProviderSettingsAddToTheKnownOnes) {
  ProviderFlags flags;
  const std::string ca = WriteFile("ca.pem", "x");
  const std::string key = WriteFile("groq-key", "from-file\n");
  flags.provider = {"name=groq,api_key_file=" + key + ",ca_file=" + ca +
                        ",proxy=http://proxy:3128/,header=X-Team: judges",
                    "name=openai,url=https://gate.test/v1,header_env=X-Gate: GATE,private=true"};
  const std::map<std::string, std::string> variables = {{"GATE", "open sesame"},
                                                        {"OPENAI_API_KEY", "k"}};
  const ProviderConfig groq = Named(flags, "groq", variables);
  EXPECT_EQ(groq.api_key, "from-file");
  EXPECT_EQ(groq.api_key_file, key);
  EXPECT_THAT(groq.missing, IsEmpty());
  EXPECT_EQ(groq.ca_file, ca);
  EXPECT_EQ(groq.proxy, "http://proxy:3128");
  ASSERT_EQ(groq.headers.size(), 1u);
  EXPECT_EQ(groq.headers[0].value, "judges");
  const ProviderConfig openai = Named(flags, "openai", variables);
  EXPECT_EQ(openai.base_url, "https://gate.test/v1");
  EXPECT_EQ(openai.api_key, "k");
  EXPECT_EQ(openai.headers[0].value, "open sesame");
  EXPECT_TRUE(openai.private_addresses);
}

TEST(ResolveProvidersTest, EndpointsSpeakADialect) {
  ProviderFlags flags;
  flags.endpoint = {"name=gate,url=https://gate.test,dialect=anthropic,model=c"};
  EXPECT_EQ(Named(flags, "gate").dialect, Dialect::kAnthropic);
  EXPECT_FALSE(Named(flags, "gate").private_addresses);
  flags.allow_private_endpoints = true;
  EXPECT_TRUE(Named(flags, "gate").private_addresses);
}

TEST(ResolveProvidersTest, AddressesInDigitsAreMeant) {
  for (const char* url :
       {"http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]/v1", "http://10.0.0.7/v1"}) {
    ProviderFlags flags;
    flags.endpoint = {std::string("name=a,url=") + url};
    EXPECT_TRUE(Named(flags, "a").private_addresses) << url;
  }
}

TEST(ResolveProvidersTest, BadSettingsNameTheFlagAndShowNoSecret) {
  for (const char* text : {"name=nobody,url=http://h", "name=openai,model=x",
                           "name=openai,name=openai", "url=http://h", "name=openai,header=hush",
                           "name=openai,header=X:", "name=openai,header_env=X: UNSET",
                           "name=openai,ca_file=/absent.pem", "name=openai,proxy=socks5://h",
                           "name=openai,private=maybe", "name=openai,api_key_env=A,api_key_file=B",
                           "name=openai,api_key_file=/absent", "name=openai,url=http://u:hush@h",
                           "name=openai,url=http://h?hush", "name=openai,header_env=X: BAD"}) {
    ProviderFlags flags;
    flags.provider = {text};
    const absl::Status error =
        ResolveProviders(flags, Environment({{"BAD", "hush\nhush"}})).status();
    EXPECT_THAT(error, HasReason("INVALID_FLAG")) << text;
    EXPECT_THAT(error, HasFieldViolation("provider")) << text;
    EXPECT_THAT(error.ToString(), Not(HasSubstr("hush"))) << text;
  }
}

}  // namespace
}  // namespace assay::judge
