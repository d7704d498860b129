// How fast bytes arrive.
#ifndef ASSAY_SERVICES_TRACE_STORE_ARRIVAL_RATE_H_
#define ASSAY_SERVICES_TRACE_STORE_ARRIVAL_RATE_H_

#include <algorithm>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"

namespace assay::trace {

// A leaky bucket: what arrives fills it, and it drains at a fixed rate. Thread-safe.
class ArrivalRate {
 public:
  ArrivalRate(int64_t bytes_per_second, int64_t burst_bytes)
      : bytes_per_second_(static_cast<double>(bytes_per_second)),
        burst_bytes_(static_cast<double>(burst_bytes)) {}

  // Notes that `bytes` arrived at `now`. True if more arrives than bytes_per_second, for longer than
  // a burst of burst_bytes explains.
  bool Exceeds(int64_t bytes, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    const double drained = absl::ToDoubleSeconds(now - last_) * bytes_per_second_;
    // A clock that is set back drains nothing.
    level_ = std::max(0.0, level_ - std::max(0.0, drained)) + static_cast<double>(bytes);
    last_ = now;
    const bool exceeds = level_ > burst_bytes_;
    // However much came, it is over soon after it ends.
    level_ = std::min(level_, 2 * burst_bytes_);
    return exceeds;
  }

 private:
  const double bytes_per_second_;
  const double burst_bytes_;
  Mutex mutex_;
  double level_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time last_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_ARRIVAL_RATE_H_
