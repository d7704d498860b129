// Tells the trace service of every change of an assessment, in order, for as long as it takes.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_OUTBOX_PUSHER_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_OUTBOX_PUSHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/cancellation.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/feedback/core/outbox.h"
#include "services/feedback/core/trace_port.h"

namespace assay::feedback {

struct OutboxPusherOptions {
  int max_changes = 1000;      // of one call
  size_t max_bytes = 2 << 20;  // of one call, about
  absl::Duration call_timeout = absl::Seconds(30);
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(10);
};

// One call at a time; sleeps while there is nothing to tell. After a failure it tries again, later
// and later up to max_backoff, for ever; what is not acknowledged stays in the outbox, also over
// restarts. Thread-safe.
class OutboxPusher {
 public:
  // All five outlive this. `executor` may block on storage.
  OutboxPusher(Outbox& outbox, ProjectionPort& projection, TimerQueue& timers, Executor& executor,
               Clock& clock, OutboxPusherOptions options = {});
  ~OutboxPusher();  // Stop()
  OutboxPusher(const OutboxPusher&) = delete;
  OutboxPusher& operator=(const OutboxPusher&) = delete;

  // Once.
  void Start();
  // Cancels what is under way, and waits for its end. Not from the executor. May be called more
  // than once.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class Phase { kIdle, kRunning, kWaiting };

  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);
  void Round() ABSL_LOCKS_EXCLUDED(mutex_);
  void Send(std::vector<trace::v1::AssessmentChange> changes);
  absl::Status Acknowledge(const absl::StatusOr<int64_t>& applied, int64_t first, int64_t last);
  void Retry(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndWait() ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether to go on; else the phase is idle, and this may be gone.
  bool GoOn() ABSL_LOCKS_EXCLUDED(mutex_);

  Outbox& outbox_;
  ProjectionPort& projection_;
  TimerQueue& timers_;
  Executor& executor_;
  Clock& clock_;
  const OutboxPusherOptions options_;
  const std::shared_ptr<CancellationToken> cancel_ = std::make_shared<CancellationToken>();

  Mutex mutex_;
  CondVar idle_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kIdle;
  bool again_ ABSL_GUARDED_BY(mutex_) = false;  // something came while a round was running
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;  // in a row
  TimerQueue::Id timer_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_OUTBOX_PUSHER_H_
