// Creates the experiments that spans have named, in the background, never on the way of a span.
#ifndef ASSAY_SERVICES_TRACE_CORE_EXPERIMENT_REGISTRAR_H_
#define ASSAY_SERVICES_TRACE_CORE_EXPERIMENT_REGISTRAR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

// The port to whoever owns experiments.
class ExperimentCreator {
 public:
  virtual ~ExperimentCreator() = default;
  // Creates the experiment. OK also if it exists; INVALID_ARGUMENT if it can never be created.
  // Thread-safe; `done` as common/exec/done.h says.
  virtual void Create(std::string experiment, CallContext context, DoneStatus done) = 0;
};

struct RegistrarOptions {
  absl::Duration initial_backoff = absl::Milliseconds(500);
  absl::Duration max_backoff = absl::Seconds(30);
  absl::Duration call_timeout = absl::Seconds(10);
};

// Works through TraceStore::PendingExperiments, one at a time; after a failure it waits, twice as
// long each time. Thread-safe.
class ExperimentRegistrar {
 public:
  // All outlive the object.
  ExperimentRegistrar(TraceStore& store, ExperimentCreator& creator, Executor& executor,
                      TimerQueue& timers, Clock& clock, RegistrarOptions options = {});
  ~ExperimentRegistrar();  // Stop().

  // There may be work. Call it once at the start, too: an earlier process may have left some.
  void Poke() ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends; waits for the step that is running. Not on the executor's own threads.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class State : uint8_t { kIdle, kRunning, kWaiting };

  void Step() ABSL_LOCKS_EXCLUDED(mutex_);
  void CreateFirst(std::string experiment);
  void Created(const std::string& experiment, const absl::Status& status);
  void Finished() ABSL_LOCKS_EXCLUDED(mutex_);
  void Failed(std::string_view experiment, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void Continue() ABSL_LOCKS_EXCLUDED(mutex_);

  TraceStore& store_;
  ExperimentCreator& creator_;
  Executor& executor_;
  TimerQueue& timers_;
  Clock& clock_;
  const RegistrarOptions options_;
  const std::shared_ptr<CancellationToken> cancel_ = std::make_shared<CancellationToken>();

  Mutex mutex_;
  CondVar changed_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kIdle;
  bool poked_ ABSL_GUARDED_BY(mutex_) = false;  // While running.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration backoff_ ABSL_GUARDED_BY(mutex_);
  TimerQueue::Id timer_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_EXPERIMENT_REGISTRAR_H_
