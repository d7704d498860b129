// A clock that moves only when it is told to. For tests.
#ifndef ASSAY_COMMON_CLOCK_FAKE_CLOCK_H_
#define ASSAY_COMMON_CLOCK_FAKE_CLOCK_H_

#include <cstdint>
#include <functional>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace assay::inline clock {

// Thread-safe.
class FakeClock final : public Clock {
 public:
  // Starts at 2025-01-01T00:00:00Z unless told otherwise.
  FakeClock();
  explicit FakeClock(absl::Time start) : now_(start) {}

  absl::Time Now() override ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls the listeners, on this thread, after the time has changed.
  void Advance(absl::Duration by) ABSL_LOCKS_EXCLUDED(mutex_);
  void Set(absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

  // `listener` is called after each change until it is removed. Not from within a listener.
  uint64_t AddListener(std::function<void()> listener) ABSL_LOCKS_EXCLUDED(mutex_);
  void RemoveListener(uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void CallListeners() ABSL_LOCKS_EXCLUDED(mutex_);

  Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, std::function<void()>> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::inline clock

#endif  // ASSAY_COMMON_CLOCK_FAKE_CLOCK_H_
