#include "services/judge/clients/model_config.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/model_uri.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxKeyBytes = 16 * 1024;
constexpr char kDefaultOpenAiModel[] = "openai:/gpt-4.1-mini";
constexpr char kDefaultAnthropicModel[] = "anthropic:/claude-haiku-4-5";

absl::Status InvalidFlag(std::string_view flag, std::string_view what) {
  return InvalidField(flag, what, "INVALID_FLAG");
}

// `origin` says where the key comes from; the key itself is never part of an error.
absl::StatusOr<std::string> CheckKey(std::string key, std::string_view flag,
                                     const std::string& origin) {
  absl::StripAsciiWhitespace(&key);
  const bool printable = std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (key.size() > kMaxKeyBytes || !printable) {
    return InvalidFlag(flag, StrCat("the key in ", origin, " is no single printable word"));
  }
  return key;
}

absl::StatusOr<std::string> ReadKeyFile(const std::string& path, std::string_view flag) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxKeyBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (file.bad() || text.empty()) {
    return InvalidFlag(flag, StrCat("the file ", path, " cannot be read, or is empty"));
  }
  return CheckKey(std::move(text), flag, StrCat("the file ", path));
}

absl::StatusOr<std::string> CheckBaseUrl(std::string url, std::string_view flag) {
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return InvalidFlag(flag, "must begin with http:// or https://");
  }
  if (url.find('@') != std::string::npos) {
    return InvalidFlag(flag, "must hold no user or password; name a key instead");
  }
  return url;
}

absl::Status AddProvider(std::string_view name, const std::string& base_url,
                         const std::string& key_file, const config::EnvLookup& env,
                         ModelConfig* config) {
  const ProviderPreset& preset = *FindProviderPreset(name);
  const std::string variable(preset.key_variable);
  const std::string file_flag = StrCat(name, "_api_key_file");
  ProviderConfig provider = {.name = std::string(name), .dialect = preset.dialect};
  ASSAY_ASSIGN_OR_RETURN(provider.base_url, CheckBaseUrl(base_url, StrCat(name, "_base_url")));
  if (!key_file.empty()) {
    ASSAY_ASSIGN_OR_RETURN(provider.api_key, ReadKeyFile(key_file, file_flag));
  } else if (std::optional<std::string> key = env(variable)) {
    ASSAY_ASSIGN_OR_RETURN(
        provider.api_key,
        CheckKey(*std::move(key), variable, StrCat("the environment variable ", variable)));
  }
  if (provider.api_key.empty()) {
    provider.missing = StrCat("the environment variable ", variable, " or --", file_flag);
  }
  config->providers.push_back(std::move(provider));
  return absl::OkStatus();
}

using Fields = std::map<std::string, std::string>;

// "name=a,url=...", "model=m,name=b,..." in any cut: a field that begins with name= begins an
// endpoint, so that it does not matter whether commas were taken as separators of a list before.
absl::StatusOr<std::vector<Fields>> SplitEndpoints(const std::vector<std::string>& texts) {
  std::vector<Fields> endpoints;
  for (const std::string& text : texts) {
    for (absl::string_view piece :
         absl::StrSplit(text, absl::ByAnyChar(",;"), absl::SkipWhitespace())) {
      const std::pair<std::string, std::string> field =
          absl::StrSplit(absl::StripAsciiWhitespace(piece), absl::MaxSplits('=', 1));
      static constexpr std::string_view kForm =
          "is name=<name>,url=<http://host:port/v1>[,model=<model>][,api_key_env=<VARIABLE>]";
      if (field.first != "name" && field.first != "url" && field.first != "model" &&
          field.first != "api_key_env") {
        return InvalidFlag("endpoint", kForm);
      }
      if (field.first == "name") endpoints.emplace_back();
      if (endpoints.empty())
        return InvalidFlag("endpoint", StrCat("begins with name=; it ", kForm));
      if (field.second.empty() || !endpoints.back().insert(field).second) {
        return InvalidFlag("endpoint",
                           StrCat(field.first, "= is empty or given twice; it ", kForm));
      }
    }
  }
  return endpoints;
}

bool IsSlug(const std::string& name) {
  return name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

absl::StatusOr<ProviderConfig> ResolveEndpoint(Fields fields, const config::EnvLookup& env) {
  ProviderConfig endpoint = {.name = fields["name"], .is_endpoint = true, .model = fields["model"]};
  if (!IsSlug(endpoint.name)) {
    return InvalidFlag("endpoint", "a name has up to 63 of a-z, 0-9, - and _");
  }
  ASSAY_ASSIGN_OR_RETURN(endpoint.base_url, CheckBaseUrl(fields["url"], "endpoint"));
  const std::string& variable = fields["api_key_env"];
  endpoint.needs_key = !variable.empty();
  if (!endpoint.needs_key) return endpoint;
  const std::string origin = StrCat("the environment variable ", variable);
  ASSAY_ASSIGN_OR_RETURN(endpoint.api_key,
                         CheckKey(env(variable).value_or(""), "endpoint", origin));
  if (endpoint.api_key.empty()) endpoint.missing = origin;
  return endpoint;
}

absl::Status ResolveEndpoints(const ModelFlags& flags, const config::EnvLookup& env,
                              ModelConfig* config) {
  std::vector<std::string> texts = flags.endpoint;
  if (texts.empty()) texts.push_back(env("ASSAY_ENDPOINTS").value_or(""));
  ASSAY_ASSIGN_OR_RETURN(std::vector<Fields> endpoints, SplitEndpoints(texts));
  for (Fields& fields : endpoints) {
    ASSAY_ASSIGN_OR_RETURN(ProviderConfig endpoint, ResolveEndpoint(std::move(fields), env));
    for (const ProviderConfig& other : config->providers) {
      if (other.is_endpoint && other.name == endpoint.name) {
        return InvalidFlag("endpoint", StrCat("the name ", other.name, " is given twice"));
      }
    }
    config->providers.push_back(std::move(endpoint));
  }
  return absl::OkStatus();
}

std::string ChooseDefaultModel(const ModelConfig& config) {
  auto has_key = [&config](std::string_view name) {
    return std::any_of(config.providers.begin(), config.providers.end(), [&](const auto& provider) {
      return !provider.is_endpoint && provider.name == name && !provider.api_key.empty();
    });
  };
  if (has_key("anthropic")) return kDefaultAnthropicModel;
  if (has_key("openai")) return kDefaultOpenAiModel;
  for (const ProviderConfig& provider : config.providers) {
    if (provider.is_endpoint && !provider.model.empty()) return UriPrefixOf(provider);
  }
  return std::string(kOfflineModel);
}

}  // namespace

void AddModelFlags(config::FlagSet& flags, ModelFlags* values) {
  flags.Group("Models");
  flags.Add("default_model", &values->default_model,
            "Model used where none is named. Unset: a provider whose key is in the environment, "
            "else the first "
            "endpoint with a model, else offline:/lexical.",
            {.example = kDefaultAnthropicModel});
  flags.Add("openai_base_url", &values->openai_base_url, "Where openai:/ models are called.");
  flags.Add("openai_api_key_file", &values->openai_api_key_file,
            "File that holds OpenAI's key. Unset: the environment variable OPENAI_API_KEY.");
  flags.Add("anthropic_base_url", &values->anthropic_base_url,
            "Where anthropic:/ models are called.");
  flags.Add("anthropic_api_key_file", &values->anthropic_api_key_file,
            "File that holds Anthropic's key. Unset: the environment variable ANTHROPIC_API_KEY.");
  flags.Add(
      "endpoint", &values->endpoint,
      "A server that speaks OpenAI's chat API, called as endpoints:/<name> or "
      "endpoints:/<name>/<model>. "
      "Repeat it for more; or set ASSAY_ENDPOINTS.",
      {.example = "name=local,url=http://127.0.0.1:8000/v1,model=llama,api_key_env=LOCAL_KEY"});
  flags.Add("model_timeout", &values->model_timeout, "Longest wait for one answer of a model.",
            {.min = 0.001, .max = 600});
  flags.Add("model_attempts", &values->model_attempts, "Attempts in all when a model fails.",
            {.min = 1, .max = 20});
  flags.Add("model_max_in_flight", &values->model_max_in_flight,
            "Calls in flight to one provider or endpoint; more wait in line.",
            {.min = 1, .max = 10'000});
  flags.Add("model_max_queued", &values->model_max_queued,
            "Calls that wait for one provider or endpoint; more are refused.",
            {.min = 0, .max = 1'000'000});
}

absl::StatusOr<ModelConfig> ResolveModelConfig(const ModelFlags& flags,
                                               const config::EnvLookup& env) {
  ModelConfig config;
  config.timeout = flags.model_timeout;
  config.attempts = flags.model_attempts;
  config.max_in_flight = flags.model_max_in_flight;
  config.max_queued = flags.model_max_queued;
  ASSAY_RETURN_IF_ERROR(AddProvider("anthropic", flags.anthropic_base_url,
                                    flags.anthropic_api_key_file, env, &config));
  ASSAY_RETURN_IF_ERROR(
      AddProvider("openai", flags.openai_base_url, flags.openai_api_key_file, env, &config));
  ASSAY_RETURN_IF_ERROR(ResolveEndpoints(flags, env, &config));
  config.default_model =
      flags.default_model.empty() ? ChooseDefaultModel(config) : flags.default_model;
  if (absl::StatusOr<ModelUri> uri = ParseModelUri(config.default_model); !uri.ok()) {
    return InvalidFlag("default_model", ToStd(uri.status().message()));
  }
  return config;
}

}  // namespace assay::judge
