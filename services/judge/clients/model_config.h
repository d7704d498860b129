// Which models the judge service may call, and with what credentials.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_CONFIG_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_CONFIG_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/config/flags.h"
#include "services/judge/clients/provider_config.h"

namespace assay::judge {

inline constexpr std::string_view kOfflineModel = "offline:/lexical";

// As they come from the command line.
struct ModelFlags {
  std::string default_model;
  std::string openai_base_url = "https://api.openai.com/v1";
  std::string openai_api_key_file;
  std::string anthropic_base_url = "https://api.anthropic.com";
  std::string anthropic_api_key_file;
  std::vector<std::string> endpoint;
  absl::Duration model_timeout = absl::Seconds(120);
  int model_attempts = 5;
  int model_max_in_flight = 256;
  int model_max_queued = 4096;
};

// Adds them, with their help, under "Models". `values` outlives `flags`.
void AddModelFlags(config::FlagSet& flags, ModelFlags* values);

struct ModelConfig {
  std::vector<ProviderConfig> providers;  // Those known by name, then endpoints.
  std::string default_model;              // Never "".
  absl::Duration timeout;                 // Of one attempt.
  int attempts = 5;
  int max_in_flight = 256;  // Per provider or endpoint; beyond it calls wait,
  int max_queued = 4096;    // and beyond that they are refused.
};

// Reads keys from files and the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, what an endpoint's
// api_key_env names, ASSAY_ENDPOINTS), and chooses the default model where none is given:
// Anthropic's or OpenAI's if there is a key, else the first endpoint that has a model, else the
// offline one. Errors: INVALID_ARGUMENT, reason INVALID_FLAG; they never hold a key.
absl::StatusOr<ModelConfig> ResolveModelConfig(
    const ModelFlags& flags, const config::EnvLookup& env = config::ProcessEnvironment);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_CONFIG_H_
