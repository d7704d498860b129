// How much may be asked of each provider, as the operator says.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_LIMIT_CONFIG_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_LIMIT_CONFIG_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/config/flags.h"
#include "services/judge/clients/limits/circuit_model_client.h"
#include "services/judge/clients/limits/limited_model_client.h"

namespace assay::judge {

// As they come from the command line.
struct LimitFlags {
  int requests_per_minute = 0;
  int tokens_per_minute = 0;
  std::vector<std::string> model_limit;
  int circuit_failures = 5;
  absl::Duration circuit_open = absl::Seconds(20);
};

// Adds them, with their help. `values` outlives `flags`.
void AddLimitFlags(config::FlagSet& flags, LimitFlags* values);

// Limits of one provider that are not the common ones.
struct ProviderLimits {
  std::optional<double> max_in_flight;
  std::optional<double> requests_per_minute;
  std::optional<double> tokens_per_minute;
};

struct LimitConfig {
  double requests_per_minute = 0;  // 0: not limited.
  double tokens_per_minute = 0;
  std::map<std::string, ProviderLimits> providers;  // By URI prefix: "openai:/".
  CircuitModelClient::Options circuit;

  // Sets what is said for the provider `options->name`.
  void ApplyTo(LimitedModelClient::Options* options) const;
};

// Errors: INVALID_ARGUMENT, reason INVALID_FLAG.
absl::StatusOr<LimitConfig> ResolveLimitConfig(const LimitFlags& flags);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_LIMIT_CONFIG_H_
