// Bounds how much is asked of one provider: how many attempts at a time, and how many a minute.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_LIMITED_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_LIMITED_MODEL_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "services/judge/clients/limits/failure_class.h"
#include "services/judge/clients/limits/recent_calls.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// How one provider is doing.
struct LimitStats {
  int64_t in_flight = 0;
  int64_t queued = 0;
  int64_t limit = 0;
  int64_t max_limit = 0;
  absl::Time paused_until = absl::InfinitePast();
  RecentCalls::Sums recent;
  FailureClass last_failure = FailureClass::kNone;
  absl::Time last_failure_time = absl::InfinitePast();
};

// Lets attempts through to `inner` as an AdaptiveLimit and the rates allow; a refusal for too much
// (failure_class.h) lowers the limit, and Retry-After or an exhausted rate-limit header pauses all.
// The others wait: calls from within our own services' calls (CallContext.depth) first, which also
// have slots beyond the limit, so that what they are part of can end; then interactive ones, then
// jobs; attempts that are repeated first among equals. Who waits leaves the line when it is
// cancelled (CANCELLED) or its deadline passes (DEADLINE_EXCEEDED MODEL_TIMEOUT). When the line is
// full, new calls are refused with UNAVAILABLE OVERLOADED; jobs find it full before others do.
// Errors of the line itself have the metadata `asked`: `false`. Thread-safe.
class LimitedModelClient final : public ModelClient {
 public:
  struct Options {
    std::string name;  // Of the provider, for errors.
    size_t max_in_flight = 256;
    size_t max_queued = 4096;
    double requests_per_minute = 0;  // 0: not limited, as below.
    double tokens_per_minute = 0;    // Read and written.
    // Hears how each attempt ended. Thread-safe, short; may be null.
    std::function<void(FailureClass)> on_attempt;
  };

  // All outlive the client's calls.
  struct Dependencies {
    Executor* executor;
    TimerQueue* timers;
    Clock* clock;
  };

  LimitedModelClient(std::unique_ptr<ModelClient> inner, const Options& options,
                     Dependencies dependencies);
  ~LimitedModelClient() override;  // Shutdown().

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override;

  LimitStats Stats() const;

  // From now on nothing is begun: who waits, and who comes, gets CANCELLED.
  void Shutdown();

 private:
  class Line;
  const std::shared_ptr<Line> line_;
};

// Whether `error` comes from the line: no provider was asked.
bool WasNeverAsked(const absl::Status& error);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_LIMITED_MODEL_CLIENT_H_
