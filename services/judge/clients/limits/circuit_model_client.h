// Stops asking a model that is down.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_CIRCUIT_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_CIRCUIT_MODEL_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Counts, for each model, the calls that failed in a row for transient reasons, after all their
// attempts. At `failures_to_open` the circuit opens: calls fail at once with UNAVAILABLE
// MODEL_UNREACHABLE, metadata `circuit`: `open`, and RetryInfo. After `open_for` one call is let
// through as a probe: if it gets an answer, or an error that shows that the provider is there, the
// circuit closes; else it stays open as long again. Outlives its calls. Thread-safe.
class CircuitModelClient final : public ModelClient {
 public:
  struct Options {
    int failures_to_open = 5;  // 0: never opens.
    absl::Duration open_for = absl::Seconds(20);
  };

  // Both outlive the client.
  CircuitModelClient(std::unique_ptr<ModelClient> inner, const Options& options, Executor* executor,
                     Clock* clock);

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  ModelTraits Traits(std::string_view model_uri) const override;

  // The models whose circuit is open, at most `most`.
  std::vector<std::string> Open(size_t most) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Circuit {
    int failures = 0;
    absl::Time open_until = absl::InfinitePast();
    bool probing = false;
  };

  // Of a call that begins: zero if it may, else how long to wait. Sets whether it is the probe.
  absl::Duration Admit(const std::string& model, bool* probe) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnEnd(const std::string& model, bool probe, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<ModelClient> inner_;
  const Options options_;
  Executor* const executor_;
  Clock* const clock_;
  mutable Mutex mutex_;
  // Only models that failed last. Few: a model that answers is taken out.
  absl::flat_hash_map<std::string, Circuit> circuits_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_CIRCUIT_MODEL_CLIENT_H_
