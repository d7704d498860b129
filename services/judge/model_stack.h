// The models as the rest of the judge service sees them: providers, with everything that stands
// before them.
#ifndef ASSAY_SERVICES_JUDGE_MODEL_STACK_H_
#define ASSAY_SERVICES_JUDGE_MODEL_STACK_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/judge/v1/judge_service.pb.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/config/flags.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "common/kv/store.h"
#include "common/rpc/metrics.h"
#include "services/judge/clients/limits/limit_config.h"
#include "services/judge/clients/model_config.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/usage/usage_calls.h"

namespace assay::judge {

// As they come from the command line, beside ModelFlags.
struct ModelStackFlags {
  LimitFlags limits;
  std::vector<std::string> fallback_model;
  std::string response_cache = "repeatable";
  absl::Duration response_cache_ttl = absl::Hours(24);
  int response_cache_mb = 1024;
  std::string price_table;
  int budget_output_tokens = 8192;
};

// Adds them, with their help, to the group before. `values` outlives `flags`.
void AddModelStackFlags(config::FlagSet& flags, ModelStackFlags* values);

// A call passes, from the outside: the chain of fallbacks; the response cache, where equal calls
// meet; the books, where budgets are kept; and, for each provider, circuit, retries and limits.
// Thread-safe.
class ModelStack {
 public:
  // All outlive the stack. `storage` runs what blocks on `store`, `cpu` the answers.
  struct Environment {
    kv::Store* store;
    Executor* storage;
    Executor* cpu;
    TimerQueue* timers;
    Clock* clock;
    http::HttpClient* http;
    rpc::Metrics* metrics;
  };

  // Reads prices and budgets. Blocks on storage. Errors: INVALID_ARGUMENT with INVALID_FLAG or
  // INVALID_PRICE_TABLE, NOT_FOUND with PRICE_TABLE_UNREADABLE, those of the store.
  static absl::StatusOr<std::unique_ptr<ModelStack>> Open(const ModelConfig& config,
                                                          const ModelStackFlags& flags,
                                                          const Environment& environment,
                                                          std::unique_ptr<ModelClient> offline);
  ~ModelStack();

  ModelClient& client();
  UsageCalls& usage();
  // As ModelRouter has them.
  absl::Status Check(std::string_view model_uri) const;
  const std::string& default_model() const;

  // What ListModels answers.
  v1::ListModelsResponse Catalog() const;

  // From now on no attempt is begun, and no timer is set for what is written in the background.
  void Shutdown();
  // Writes what is unwritten; blocks. After the last call has ended, while `storage` still runs.
  void Close();

 private:
  struct Parts;
  explicit ModelStack(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_MODEL_STACK_H_
