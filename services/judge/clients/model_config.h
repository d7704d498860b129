// Which models the judge service may call, and with what credentials.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_CONFIG_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/config/flags.h"
#include "services/judge/clients/provider_config.h"
#include "services/judge/clients/provider_flags.h"

namespace assay::judge {

inline constexpr std::string_view kOfflineModel = "offline:/lexical";

// As they come from the command line.
struct ModelFlags {
  std::string default_model;
  ProviderFlags providers;
  absl::Duration model_timeout = absl::Seconds(120);
  int model_attempts = 5;
  int model_max_in_flight = 256;
  int model_max_queued = 4096;
  int64_t model_max_response_bytes = int64_t{8} << 20;
};

// Adds them, with their help, under "Models". `values` outlives `flags`.
void AddModelFlags(config::FlagSet& flags, ModelFlags* values);

struct ModelConfig {
  std::vector<ProviderConfig> providers;  // Those known by name, then endpoints.
  std::string default_model;              // Never "".
  absl::Duration timeout;                 // Of one attempt.
  int attempts = 5;
  int max_in_flight = 256;                      // Per provider or endpoint; beyond it calls wait,
  int max_queued = 4096;                        // and beyond that they are refused.
  size_t max_response_bytes = size_t{8} << 20;  // Of one answer; a longer one is cut off.
};

// Reads keys from files and the environment (OPENAI_API_KEY and its kin, what an endpoint's
// api_key_env names, ASSAY_ENDPOINTS), and chooses the default model where none is given: one of
// Anthropic's, OpenAI's or Gemini's if there is a key, else the first endpoint that has a model,
// else the offline one. Errors: INVALID_ARGUMENT, reason INVALID_FLAG; they never hold a key.
absl::StatusOr<ModelConfig> ResolveModelConfig(
    const ModelFlags& flags, const config::EnvLookup& env = config::ProcessEnvironment);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_CONFIG_H_
