#include "services/judge/clients/model_config.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "common/status/status_matchers.h"
#include "services/judge/clients/model_uri.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

config::EnvLookup Environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

const ProviderConfig& Named(const ModelConfig& config, const std::string& name) {
  for (const ProviderConfig& provider : config.providers) {
    if (provider.name == name) return provider;
  }
  static const ProviderConfig* const none = new ProviderConfig();
  return *none;
}

std::vector<ProviderConfig> Endpoints(const ModelConfig& config) {
  std::vector<ProviderConfig> endpoints;
  for (const ProviderConfig& provider : config.providers) {
    if (provider.is_endpoint) endpoints.push_back(provider);
  }
  return endpoints;
}

TEST(ParseModelUriTest, ReadsItsForms) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelUri openai, ParseModelUri("openai:/gpt-x"));
  EXPECT_EQ(openai.provider, "openai");
  EXPECT_EQ(openai.model, "gpt-x");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelUri slashes, ParseModelUri("anthropic:///claude/x"));
  EXPECT_EQ(slashes.model, "claude/x");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelUri bare, ParseModelUri("endpoints:/local"));
  EXPECT_EQ(bare.endpoint, "local");
  EXPECT_EQ(bare.model, "");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelUri path, ParseModelUri("endpoints:/local/meta/llama"));
  EXPECT_EQ(path.endpoint, "local");
  EXPECT_EQ(path.model, "meta/llama");
}

TEST(ParseModelUriTest, RefusesOthersAndListsTheForms) {
  for (const std::string& uri :
       {std::string(""), std::string("gpt-x"), std::string("openai:"), std::string("openai:/"),
        std::string("openai://"), std::string(":/x"), std::string("nonsense:/x"),
        std::string("openai:/a b"), std::string("openai:/a\n"),
        "openai:/" + std::string(600, 'x')}) {
    const absl::Status error = ParseModelUri(uri).status();
    EXPECT_THAT(error, HasReason("INVALID_MODEL_URI")) << uri;
    EXPECT_THAT(error,
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("endpoints:/<name>")));
  }
}

TEST(ResolveModelConfigTest, WithoutAnythingTheOfflineModelIsTheDefault) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelConfig config, ResolveModelConfig({}, Environment({})));
  EXPECT_EQ(config.default_model, "offline:/lexical");
  const ProviderConfig& openai = Named(config, "openai");
  EXPECT_EQ(openai.base_url, "https://api.openai.com/v1");
  EXPECT_THAT(openai.api_key, IsEmpty());
  EXPECT_THAT(openai.missing, HasSubstr("OPENAI_API_KEY"));
}

TEST(ResolveModelConfigTest, KeysComeFromEnvironmentOrFile) {
  ModelFlags flags;
  flags.providers.named["openai"].api_key_file = WriteFile("key", "  from-file\n");
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelConfig config, ResolveModelConfig(flags, Environment({{"OPENAI_API_KEY", "from-env"},
                                                                 {"ANTHROPIC_API_KEY", "also"}})));
  EXPECT_EQ(Named(config, "openai").api_key, "from-file");
  EXPECT_EQ(Named(config, "anthropic").api_key, "also");
  EXPECT_THAT(config.default_model, testing::StartsWith("anthropic:/"));
}

TEST(ResolveModelConfigTest, BadKeysAreRefusedWithoutBeingShown) {
  ModelFlags flags;
  flags.providers.named["openai"].api_key_file = WriteFile("bad", "hush hush\nhush");
  const absl::Status file = ResolveModelConfig(flags, Environment({})).status();
  EXPECT_THAT(file, HasReason("INVALID_FLAG"));
  EXPECT_THAT(file.ToString(), Not(HasSubstr("hush")));
  const absl::Status variable =
      ResolveModelConfig({}, Environment({{"OPENAI_API_KEY", "hush\r\nhush"}})).status();
  EXPECT_THAT(variable, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("OPENAI_API_KEY")));
  EXPECT_THAT(variable.ToString(), Not(HasSubstr("hush")));
  flags.providers.named["openai"].api_key_file = testing::TempDir() + "/absent";
  EXPECT_THAT(ResolveModelConfig(flags, Environment({})), HasReason("INVALID_FLAG"));
}

TEST(ResolveModelConfigTest, EndpointsComeWholeOrCutAtCommas) {
  const std::vector<std::vector<std::string>> spellings = {
      {"name=a,url=http://h:1/v1/,model=m,api_key_env=A_KEY", "name=b,url=http://h:2/v1"},
      {"name=a", "url=http://h:1/v1/", "model=m", "api_key_env=A_KEY", "name=b",
       "url=http://h:2/v1"},
  };
  for (const std::vector<std::string>& spelling : spellings) {
    ModelFlags flags;
    flags.providers.endpoint = spelling;
    ASSAY_ASSERT_OK_AND_ASSIGN(ModelConfig config,
                               ResolveModelConfig(flags, Environment({{"A_KEY", "secret"}})));
    const std::vector<ProviderConfig> endpoints = Endpoints(config);
    ASSERT_THAT(endpoints, SizeIs(2));
    EXPECT_EQ(endpoints[0].name, "a");
    EXPECT_EQ(endpoints[0].model, "m");
    EXPECT_EQ(endpoints[0].base_url, "http://h:1/v1");
    EXPECT_EQ(endpoints[0].api_key, "secret");
    EXPECT_TRUE(endpoints[0].needs_key);
    EXPECT_FALSE(endpoints[1].needs_key);
    EXPECT_EQ(config.default_model, "endpoints:/a");
  }
}

TEST(ResolveModelConfigTest, EndpointsComeFromTheEnvironmentToo) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelConfig config,
      ResolveModelConfig({}, Environment({{"ASSAY_ENDPOINTS",
                                           "name=a,url=http://h/v1; name=b,url=http://h/v1"}})));
  EXPECT_THAT(Endpoints(config), SizeIs(2));
}

TEST(ResolveModelConfigTest, BadEndpointsNameTheFlagAndTheForm) {
  for (const char* text :
       {"url=http://h", "name=a", "name=a,url=ftp://h", "name=A b,url=http://h",
        "name=a,url=http://h,colour=red", "name=a,name=b,url=http://h",
        "name=a,url=http://h,url=http://h", "name=a,url=http://h,name=a,url=http://h",
        "name=a,url=http://user:hush@h", "nonsense"}) {
    ModelFlags flags;
    flags.providers.endpoint = {text};
    const absl::Status error = ResolveModelConfig(flags, Environment({})).status();
    EXPECT_THAT(error, HasReason("INVALID_FLAG")) << text;
    EXPECT_THAT(error, HasFieldViolation("endpoint")) << text;
    EXPECT_THAT(error.ToString(), Not(HasSubstr("hush")));
  }
}

TEST(ResolveModelConfigTest, BadDefaultModelIsRefused) {
  ModelFlags flags;
  flags.default_model = "gpt";
  EXPECT_THAT(ResolveModelConfig(flags, Environment({})), HasFieldViolation("default_model"));
}

TEST(AddModelFlagsTest, RepeatedEndpointsArrive) {
  ModelFlags values;
  config::FlagSet flags("test", "Tests.");
  AddModelFlags(flags, &values);
  ASSERT_OK(flags.Parse({"--endpoint=name=a,url=http://h:1/v1",
                         "--endpoint=name=b,url=http://h:2/v1", "--model_attempts=2"},
                        Environment({})));
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelConfig config, ResolveModelConfig(values, Environment({})));
  EXPECT_THAT(Endpoints(config), SizeIs(2));
  EXPECT_EQ(config.attempts, 2);
}

}  // namespace
}  // namespace assay::judge
