// Calls and failures of the last minutes.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_RECENT_CALLS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_RECENT_CALLS_H_

#include <array>
#include <cstdint>

#include "absl/time/time.h"
#include "services/judge/clients/limits/failure_class.h"

namespace assay::judge {

// Five minutes, minute by minute. Not thread-safe.
class RecentCalls {
 public:
  struct Sums {
    int64_t calls = 0;
    int64_t failures = 0;
    int64_t rate = 0;  // Of the failures, those for too much at a time.
  };

  // Calls that the caller gave up say nothing and are not counted.
  void Add(FailureClass failure, absl::Time now);
  Sums Last(absl::Time now) const;

  FailureClass last_failure() const { return last_failure_; }
  absl::Time last_failure_time() const { return last_failure_time_; }

 private:
  static constexpr int64_t kMinutes = 5;
  struct Minute {
    int64_t minute = -1;
    Sums sums;
  };
  std::array<Minute, kMinutes> minutes_;
  FailureClass last_failure_ = FailureClass::kNone;
  absl::Time last_failure_time_ = absl::InfinitePast();
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_RECENT_CALLS_H_
