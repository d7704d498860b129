// Runs tasks later: backoff, deadlines, sweeps.
#ifndef ASSAY_COMMON_CLOCK_TIMER_H_
#define ASSAY_COMMON_CLOCK_TIMER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace assay::inline clock {

// Thread-safe. Tasks run one at a time on the queue's thread and must be short: hand real work to
// an executor. A task that is dropped (cancelled, or pending when the queue goes) is destroyed
// without having run; one that owes an answer holds an EnsureCalled(Done) of common/exec/done.h.
class TimerQueue {
 public:
  using Task = absl::AnyInvocable<void() &&>;
  using Id = uint64_t;  // Never 0.

  virtual ~TimerQueue() = default;
  // Runs `task` once, not before `when`. A time in the past means soon, never inline.
  virtual Id RunAt(absl::Time when, Task task) = 0;
  virtual Id RunAfter(absl::Duration delay, Task task) = 0;
  // True if the task had not begun and now never will.
  virtual bool Cancel(Id id) = 0;
};

// One thread and an ordered queue.
class ThreadTimerQueue final : public TimerQueue {
 public:
  // `clock` turns times into delays and outlives the queue. Delays do not follow jumps of the wall
  // clock.
  explicit ThreadTimerQueue(Clock* clock = &SystemClock());
  ~ThreadTimerQueue() override;  // Waits for a running task; drops the others.

  Id RunAt(absl::Time when, Task task) override ABSL_LOCKS_EXCLUDED(mutex_);
  Id RunAfter(absl::Duration delay, Task task) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool Cancel(Id id) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  using Key = std::pair<Moment, Id>;

  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);

  Clock* const clock_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Id next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Key, Task> tasks_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<Id, Moment> moments_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace assay::inline clock

#endif  // ASSAY_COMMON_CLOCK_TIMER_H_
