// Asks again when a model fails for a while.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_RETRYING_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_RETRYING_MODEL_CLIENT_H_

#include <functional>
#include <memory>
#include <string_view>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

struct RetryPolicy {
  int max_attempts = 5;  // In all.
  // Before attempt n + 1: a random time up to min(max_delay, base_delay * 2^(n-1)).
  absl::Duration base_delay = absl::Milliseconds(500);
  absl::Duration max_delay = absl::Seconds(30);
  // A provider's Retry-After comes before that random time, and is taken as no longer than this.
  absl::Duration max_retry_after = absl::Seconds(60);
};

// Repeats what `inner` marks as retriable (attempt_error.h), with the same idempotency key. Gives
// up after max_attempts, on an error that another attempt cannot cure, and when the deadline leaves
// no time for the next attempt; the error says which (metadata `ended_by`: ATTEMPTS, PERMANENT,
// DEADLINE), and carries `attempts` and `last_error`. Errors of the line before the provider
// (WasNeverAsked) are passed on as they are. Thread-safe.
class RetryingModelClient final : public ModelClient {
 public:
  // All outlive the client; `timers` is gone before it.
  struct Dependencies {
    Executor* executor;
    TimerQueue* timers;
    Clock* clock;
    std::function<double()> random;  // Evenly in [0, 1). Thread-safe.
  };

  RetryingModelClient(std::unique_ptr<ModelClient> inner, const RetryPolicy& policy,
                      Dependencies dependencies);
  ~RetryingModelClient() override;

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override;

  // From now on no attempt is begun: failed ones are answered as they are, waiting ones with
  // CANCELLED when their time comes or their timer is destroyed.
  void Shutdown();

 private:
  struct Shared;
  class Call;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_RETRYING_MODEL_CLIENT_H_
