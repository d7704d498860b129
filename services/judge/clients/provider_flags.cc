#include "services/judge/clients/provider_flags.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/http/address_rules.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/key_source.h"
#include "services/judge/clients/provider_settings.h"

namespace assay::judge {
namespace {

// Providers with flags of their own; the others are set by --provider.
constexpr std::string_view kWithFlags[] = {"openai", "anthropic", "gemini", "azure", "databricks"};

constexpr char kContainerAgent[] = "http://169.254.170.2";
constexpr char kInstanceMetadata[] = "http://169.254.169.254";
constexpr char kAzureAuthority[] = "https://login.microsoftonline.com";
constexpr char kAzureScope[] = "https://cognitiveservices.azure.com/.default";

bool IsTenant(const std::string& text) {
  return text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.';
         });
}

std::string KeyVariables(const ProviderPreset& preset) {
  return StrCat("the environment variable ", preset.key_variable);
}

// The form that every operator knows their Databricks host by has no scheme.
std::string WithScheme(std::string url) {
  if (url.empty() || url.find("://") != std::string::npos) return url;
  return StrCat("https://", url);
}

bool IsSlug(const std::string& name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

absl::Status ResolveAwsKeys(const ProviderFlags& flags, const config::EnvLookup& env,
                            ProviderConfig* provider) {
  std::string file = flags.bedrock_credentials_file;
  AwsConfig& aws = provider->aws;
  if (file.empty() && !env("AWS_ACCESS_KEY_ID").has_value()) {
    file = env("AWS_SHARED_CREDENTIALS_FILE").value_or("");
  }
  if (!file.empty()) {
    aws.profile = env("AWS_PROFILE").value_or("default");
    const absl::StatusOr<std::string> text = ReadSmallFile(file);
    if (!text.ok()) {
      return InvalidFlag("bedrock_credentials_file", ToStd(text.status().message()));
    }
    const std::optional<http::AwsSigning> keys = ParseAwsCredentials(*text, aws.profile);
    if (!keys.has_value()) {
      return InvalidFlag("bedrock_credentials_file",
                         StrCat("the file ", file, " has no [", aws.profile,
                                "] with aws_access_key_id and aws_secret_access_key"));
    }
    aws.credentials_file = file;
    aws.access_key_id = keys->access_key_id;
    aws.secret_access_key = keys->secret_access_key;
    aws.session_token = keys->session_token;
    return absl::OkStatus();
  }
  for (const auto& [variable, value] : {std::pair("AWS_ACCESS_KEY_ID", &aws.access_key_id),
                                        std::pair("AWS_SECRET_ACCESS_KEY", &aws.secret_access_key),
                                        std::pair("AWS_SESSION_TOKEN", &aws.session_token)}) {
    ASSAY_ASSIGN_OR_RETURN(*value, CheckKey(env(variable).value_or(""),
                                            StrCat("the environment variable ", variable)));
  }
  return absl::OkStatus();
}

// The container's agent as the environment names it. Its address is Amazon's own, or encrypted, or
// written in digits: the secrets that it hands out go nowhere else.
absl::Status ResolveContainerRole(const config::EnvLookup& env, AwsRole* role) {
  const std::string relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").value_or("");
  const std::string full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI").value_or("");
  if (relative.empty() && full.empty()) return absl::OkStatus();
  role->giver = AwsRole::Giver::kContainer;
  role->url = relative.empty() ? full : StrCat(kContainerAgent, relative);
  if (!role->url.starts_with("https://") && !http::IsLiteralHost(http::HostOf(role->url))) {
    return InvalidFlag("AWS_CONTAINER_CREDENTIALS_FULL_URI",
                       "begins with https://, or names an address in digits or localhost");
  }
  role->token_file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").value_or("");
  ASSAY_ASSIGN_OR_RETURN(role->token,
                         CheckKey(env("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or(""),
                                  "the environment variable AWS_CONTAINER_AUTHORIZATION_TOKEN"));
  return absl::OkStatus();
}

// Whose keys are asked for, where none are given: a web identity's role, a container's, a machine's.
absl::Status ResolveAwsRole(const ProviderFlags& flags, const config::EnvLookup& env,
                            AwsConfig* aws) {
  AwsRole& role = aws->role;
  role.role_arn = env("AWS_ROLE_ARN").value_or("");
  role.token_file = env("AWS_WEB_IDENTITY_TOKEN_FILE").value_or("");
  if (!role.role_arn.empty() && !role.token_file.empty()) {
    role.giver = AwsRole::Giver::kWebIdentity;
    role.session_name = env("AWS_ROLE_SESSION_NAME").value_or("assay");
    std::string url = env("AWS_ENDPOINT_URL_STS").value_or("");
    if (url.empty()) url = StrCat("https://sts.", aws->region, ".amazonaws.com");
    ASSAY_ASSIGN_OR_RETURN(role.url, CheckBaseUrl(std::move(url), "AWS_ENDPOINT_URL_STS"));
    return absl::OkStatus();
  }
  role = {};
  ASSAY_RETURN_IF_ERROR(ResolveContainerRole(env, &role));
  if (role.giver != AwsRole::Giver::kNone || !flags.bedrock_instance_role) return absl::OkStatus();
  role.giver = AwsRole::Giver::kInstance;
  ASSAY_ASSIGN_OR_RETURN(
      role.url, CheckBaseUrl(env("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(kInstanceMetadata),
                             "AWS_EC2_METADATA_SERVICE_ENDPOINT"));
  return absl::OkStatus();
}

absl::Status ResolveBedrock(const ProviderFlags& flags, const config::EnvLookup& env,
                            ProviderConfig* provider) {
  AwsConfig& aws = provider->aws;
  aws.region = flags.bedrock_region;
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (aws.region.empty()) aws.region = env(variable).value_or("");
  }
  if (!aws.region.empty() && !IsSlug(aws.region)) {
    return InvalidFlag("bedrock_region", "is a region such as us-east-1");
  }
  ASSAY_RETURN_IF_ERROR(ResolveAwsKeys(flags, env, provider));
  ASSAY_RETURN_IF_ERROR(
      ResolveKey("", {"AWS_BEARER_TOKEN_BEDROCK"}, "AWS_BEARER_TOKEN_BEDROCK", env, provider));
  if (provider->base_url.empty() && !aws.region.empty()) {
    provider->base_url = StrCat("https://bedrock-runtime.", aws.region, ".amazonaws.com");
  }
  const bool has_keys = !aws.access_key_id.empty() && !aws.secret_access_key.empty();
  if (has_keys || !provider->api_key.empty()) return absl::OkStatus();
  ASSAY_RETURN_IF_ERROR(ResolveAwsRole(flags, env, &aws));
  if (aws.role.giver == AwsRole::Giver::kNone) {
    provider->missing =
        "the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "--bedrock_credentials_file, or --bedrock_instance_role";
  }
  return absl::OkStatus();
}

// What Databricks and Azure know a program by, in the variables that their own tools read.
absl::Status ResolveClientCredentials(const ProviderPreset& preset, const config::EnvLookup& env,
                                      ProviderConfig* provider) {
  OAuthConfig& oauth = provider->oauth;
  if (preset.dialect == Dialect::kDatabricks) {
    oauth.token_url = provider->base_url.empty() ? "" : provider->base_url + "/oidc/v1/token";
    oauth.scope = "all-apis";
    oauth.basic_auth = true;
    if (!provider->api_key.empty()) return absl::OkStatus();
    return ReadClientSecret(env("DATABRICKS_CLIENT_ID").value_or(""), "DATABRICKS_CLIENT_SECRET",
                            "", "DATABRICKS_CLIENT_SECRET", env, provider);
  }
  if (preset.dialect != Dialect::kAzure) return absl::OkStatus();
  const std::string tenant = env("AZURE_TENANT_ID").value_or("");
  oauth.scope = kAzureScope;
  if (tenant.empty()) return absl::OkStatus();
  if (!IsTenant(tenant)) return InvalidFlag("AZURE_TENANT_ID", "is a tenant's id or domain");
  ASSAY_ASSIGN_OR_RETURN(
      const std::string authority,
      CheckBaseUrl(env("AZURE_AUTHORITY_HOST").value_or(kAzureAuthority), "AZURE_AUTHORITY_HOST"));
  oauth.token_url = StrCat(authority, "/", tenant, "/oauth2/v2.0/token");
  if (!provider->api_key.empty()) return absl::OkStatus();
  return ReadClientSecret(env("AZURE_CLIENT_ID").value_or(""), "AZURE_CLIENT_SECRET", "",
                          "AZURE_CLIENT_SECRET", env, provider);
}

absl::StatusOr<ProviderConfig> ResolveNamed(const ProviderPreset& preset,
                                            const ProviderFields* fields,
                                            const ProviderFlags& flags,
                                            const config::EnvLookup& env) {
  ProviderConfig provider = {.name = std::string(preset.name),
                             .dialect = preset.dialect,
                             .schema_with_tools = preset.schema_with_tools,
                             .max_input_tokens = preset.max_input_tokens};
  const auto named = flags.named.find(provider.name);
  const ProviderFlags::Named own =
      named == flags.named.end() ? ProviderFlags::Named() : named->second;
  std::string url = own.base_url;
  std::string url_flag = StrCat(preset.name, "_base_url");
  if (fields != nullptr && fields->contains("url")) {
    url = FieldOf(*fields, "url");
    url_flag = "provider";
  }
  if (url.empty() && !preset.base_url_variable.empty()) {
    url = env(std::string(preset.base_url_variable)).value_or("");
    url_flag = std::string(preset.base_url_variable);
  }
  if (url.empty()) url = std::string(preset.base_url);
  if (!url.empty()) {
    ASSAY_ASSIGN_OR_RETURN(provider.base_url, CheckBaseUrl(WithScheme(url), url_flag));
  }
  provider.needs_key = !preset.key_variable.empty();
  if (provider.needs_key) {
    const std::string flag = StrCat(preset.name, "_api_key_file");
    ASSAY_RETURN_IF_ERROR(
        ResolveKey(own.api_key_file, {std::string(preset.key_variable)}, flag, env, &provider));
    if (provider.api_key.empty()) {
      const bool has_flags = std::find(std::begin(kWithFlags), std::end(kWithFlags), preset.name) !=
                             std::end(kWithFlags);
      provider.missing =
          StrCat(KeyVariables(preset), " or --",
                 has_flags ? flag : StrCat("provider=name=", preset.name, ",api_key_file=..."));
    }
  }
  ASSAY_RETURN_IF_ERROR(ResolveClientCredentials(preset, env, &provider));
  if (preset.dialect == Dialect::kBedrock) {
    ASSAY_RETURN_IF_ERROR(ResolveBedrock(flags, env, &provider));
  }
  if (fields != nullptr) {
    ASSAY_RETURN_IF_ERROR(ApplyProviderFields(*fields, "provider", env, &provider));
  }
  if (provider.base_url.empty() && provider.missing.empty()) {
    provider.missing = preset.dialect == Dialect::kBedrock
                           ? "the environment variable AWS_REGION or --bedrock_region"
                           : StrCat("the environment variable ", preset.base_url_variable, " or --",
                                    preset.name, "_base_url");
  }
  provider.api_version = preset.dialect == Dialect::kAzure ? flags.azure_api_version : "";
  return provider;
}

absl::StatusOr<ProviderConfig> ResolveEndpoint(const ProviderFields& fields,
                                               const config::EnvLookup& env) {
  ProviderConfig endpoint = {.name = FieldOf(fields, "name"),
                             .is_endpoint = true,
                             .model = FieldOf(fields, "model"),
                             .needs_key = false};
  if (!IsSlug(endpoint.name)) {
    return InvalidFlag("endpoint", "a name has up to 63 of a-z, 0-9, - and _");
  }
  ASSAY_ASSIGN_OR_RETURN(endpoint.base_url, CheckBaseUrl(FieldOf(fields, "url"), "endpoint"));
  ASSAY_RETURN_IF_ERROR(ApplyProviderFields(fields, "endpoint", env, &endpoint));
  return endpoint;
}

using FieldsByName = std::map<std::string, ProviderFields>;

absl::StatusOr<FieldsByName> NamedSettings(const ProviderFlags& flags) {
  ASSAY_ASSIGN_OR_RETURN(std::vector<ProviderFields> entries,
                         SplitProviderEntries(flags.provider, "provider", kProviderForm));
  FieldsByName by_name;
  for (ProviderFields& fields : entries) {
    const std::string name = FieldOf(fields, "name");
    if (FindProviderPreset(name) == nullptr) {
      return InvalidFlag("provider", StrCat("`", name.substr(0, 63),
                                            "` is no known provider; servers of your "
                                            "own are added by --endpoint"));
    }
    if (fields.contains("model") || fields.contains("dialect")) {
      return InvalidFlag("provider",
                         StrCat("takes no model= and no dialect=; it is ", kProviderForm));
    }
    if (!by_name.emplace(name, std::move(fields)).second) {
      return InvalidFlag("provider", StrCat("the name ", name, " is given twice"));
    }
  }
  return by_name;
}

}  // namespace

void AddProviderFlags(config::FlagSet& flags, ProviderFlags* values) {
  for (const std::string_view name : kWithFlags) {
    const ProviderPreset& preset = *FindProviderPreset(name);
    ProviderFlags::Named& named = values->named[std::string(name)];
    std::string unset = StrCat("Unset: ", preset.base_url, ".");
    if (!preset.base_url_variable.empty()) {
      unset = StrCat("Unset: the environment variable ", preset.base_url_variable, ".");
    }
    flags.Add(StrCat(name, "_base_url"), &named.base_url,
              StrCat("Where ", name, ":/ models are called. ", unset));
    flags.Add(StrCat(name, "_api_key_file"), &named.api_key_file,
              StrCat("File that holds the key of ", preset.title,
                     "; read again when it changes. Unset: ", KeyVariables(preset), "."));
  }
  flags.Add("azure_api_version", &values->azure_api_version, "Version of Azure's API.");
  flags.Add("bedrock_region", &values->bedrock_region,
            "Amazon's region for bedrock:/ models. Unset: the environment variable AWS_REGION.",
            {.example = "us-east-1"});
  flags.Add("bedrock_credentials_file", &values->bedrock_credentials_file,
            "File in the form of ~/.aws/credentials, profile AWS_PROFILE or default; read again "
            "when it changes. Unset: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.");
  flags.Add("bedrock_instance_role", &values->bedrock_instance_role,
            "Whether the keys of this machine's role are asked for at Amazon's metadata service, "
            "where no others are given. Keys of a web identity (AWS_WEB_IDENTITY_TOKEN_FILE, "
            "AWS_ROLE_ARN) and of a container's role are found by their variables.");
  flags.Add(
      "provider", &values->provider,
      StrCat("More about a provider (anthropic, azure, bedrock, databricks, deepseek, gemini, "
             "groq, mistral, ollama, openai, openrouter, together, xai): ",
             kProviderForm, ". Repeat it for more."),
      {.example = "name=groq,api_key_file=/run/secrets/groq,proxy=http://proxy:3128"});
  flags.Add(
      "endpoint", &values->endpoint,
      StrCat("A server of your own, called as endpoints:/<name> or endpoints:/<name>/<model>: ",
             kEndpointForm,
             ". Dialects: openai (the default), anthropic, gemini, databricks. Repeat it for "
             "more; or set ASSAY_ENDPOINTS."),
      {.example = "name=local,url=http://127.0.0.1:8000/v1,model=llama,api_key_env=LOCAL_KEY"});
  flags.Add("allow_private_endpoints", &values->allow_private_endpoints,
            "Whether any provider's name may resolve to a private, link-local or loopback address. "
            "Addresses written in digits and localhost are allowed in any case, and so is an "
            "endpoint with private=true.");
}

absl::StatusOr<std::vector<ProviderConfig>> ResolveProviders(const ProviderFlags& flags,
                                                             const config::EnvLookup& env) {
  std::vector<ProviderConfig> providers;
  ASSAY_ASSIGN_OR_RETURN(const FieldsByName settings, NamedSettings(flags));
  for (const ProviderPreset& preset : ProviderPresets()) {
    const auto found = settings.find(std::string(preset.name));
    ASSAY_ASSIGN_OR_RETURN(
        ProviderConfig provider,
        ResolveNamed(preset, found == settings.end() ? nullptr : &found->second, flags, env));
    providers.push_back(std::move(provider));
  }
  std::vector<std::string> texts = flags.endpoint;
  if (texts.empty()) texts.push_back(env("ASSAY_ENDPOINTS").value_or(""));
  ASSAY_ASSIGN_OR_RETURN(const std::vector<ProviderFields> entries,
                         SplitProviderEntries(texts, "endpoint", kEndpointForm));
  std::set<std::string> names;
  for (const ProviderFields& fields : entries) {
    ASSAY_ASSIGN_OR_RETURN(ProviderConfig endpoint, ResolveEndpoint(fields, env));
    if (!names.insert(endpoint.name).second) {
      return InvalidFlag("endpoint", StrCat("the name ", endpoint.name, " is given twice"));
    }
    providers.push_back(std::move(endpoint));
  }
  for (ProviderConfig& provider : providers) {
    provider.private_addresses |=
        flags.allow_private_endpoints || http::IsLiteralHost(http::HostOf(provider.base_url));
  }
  return providers;
}

}  // namespace assay::judge
