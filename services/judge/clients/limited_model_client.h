// Bounds how much is asked of one provider at a time.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITED_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITED_MODEL_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// At most `max_in_flight` calls are inside `inner`; `max_queued` more wait, first come, first
// served, and leave the line when they are cancelled (CANCELLED) or their deadline passes
// (DEADLINE_EXCEEDED MODEL_TIMEOUT). Beyond that a call is refused with UNAVAILABLE OVERLOADED.
// Thread-safe.
class LimitedModelClient final : public ModelClient {
 public:
  struct Options {
    std::string name;  // Of the provider, for errors.
    size_t max_in_flight = 256;
    size_t max_queued = 4096;
  };

  // `executor` and `timers` outlive the client's calls.
  LimitedModelClient(std::unique_ptr<ModelClient> inner, const Options& options, Executor* executor,
                     TimerQueue* timers);
  ~LimitedModelClient() override;  // Shutdown().

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;

  // From now on nothing is begun: who waits, and who comes, gets CANCELLED.
  void Shutdown();

 private:
  class Line;
  const std::shared_ptr<Line> line_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITED_MODEL_CLIENT_H_
