// Timers that follow a FakeClock. For tests.
#ifndef ASSAY_COMMON_CLOCK_FAKE_TIMER_H_
#define ASSAY_COMMON_CLOCK_FAKE_TIMER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock/fake_clock.h"
#include "common/clock/timer.h"
#include "common/sync/mutex.h"

namespace assay::inline clock {

// Runs what is due inside FakeClock::Advance and Set, on the thread that calls them, in order of
// time. Thread-safe.
class FakeTimerQueue final : public TimerQueue {
 public:
  explicit FakeTimerQueue(FakeClock* clock);  // `clock` outlives the queue.
  ~FakeTimerQueue() override;

  Id RunAt(absl::Time when, Task task) override ABSL_LOCKS_EXCLUDED(mutex_);
  Id RunAfter(absl::Duration delay, Task task) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool Cancel(Id id) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs what is due now without moving the clock; returns how many ran.
  size_t RunDue() ABSL_LOCKS_EXCLUDED(mutex_);
  size_t pending() const ABSL_LOCKS_EXCLUDED(mutex_);
  // When the next task is due; InfiniteFuture if there is none.
  absl::Time NextDue() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  FakeClock* const clock_;
  mutable Mutex mutex_;
  Id next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<std::pair<absl::Time, Id>, Task> tasks_ ABSL_GUARDED_BY(mutex_);
  uint64_t listener_ = 0;
};

}  // namespace assay::inline clock

#endif  // ASSAY_COMMON_CLOCK_FAKE_TIMER_H_
