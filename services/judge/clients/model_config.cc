#include "services/judge/clients/model_config.h"

#include <algorithm>

#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/model_uri.h"
#include "services/judge/clients/provider_settings.h"

namespace assay::judge {
namespace {

constexpr char kDefaultOpenAiModel[] = "openai:/gpt-4.1-mini";
constexpr char kDefaultAnthropicModel[] = "anthropic:/claude-haiku-4-5";
constexpr char kDefaultGeminiModel[] = "gemini:/gemini-2.5-flash";

std::string ChooseDefaultModel(const ModelConfig& config) {
  auto has_key = [&config](std::string_view name) {
    return std::any_of(config.providers.begin(), config.providers.end(), [&](const auto& provider) {
      return !provider.is_endpoint && provider.name == name && !provider.api_key.empty();
    });
  };
  if (has_key("anthropic")) return kDefaultAnthropicModel;
  if (has_key("openai")) return kDefaultOpenAiModel;
  if (has_key("gemini")) return kDefaultGeminiModel;
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
  AddProviderFlags(flags, &values->providers);
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
  flags.Add("model_max_response_bytes", &values->model_max_response_bytes,
            "Longest answer that is read; what is longer is cut off, and the call fails.",
            {.min = 1024, .max = 256.0 * 1024 * 1024});
}

absl::StatusOr<ModelConfig> ResolveModelConfig(const ModelFlags& flags,
                                               const config::EnvLookup& env) {
  ModelConfig config;
  config.timeout = flags.model_timeout;
  config.attempts = flags.model_attempts;
  config.max_in_flight = flags.model_max_in_flight;
  config.max_queued = flags.model_max_queued;
  config.max_response_bytes = static_cast<size_t>(flags.model_max_response_bytes);
  ASSAY_ASSIGN_OR_RETURN(config.providers, ResolveProviders(flags.providers, env));
  config.default_model =
      flags.default_model.empty() ? ChooseDefaultModel(config) : flags.default_model;
  if (absl::StatusOr<ModelUri> uri = ParseModelUri(config.default_model); !uri.ok()) {
    return InvalidFlag("default_model", ToStd(uri.status().message()));
  }
  return config;
}

}  // namespace assay::judge
