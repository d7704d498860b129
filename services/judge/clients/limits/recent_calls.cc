#include "services/judge/clients/limits/recent_calls.h"

namespace assay::judge {
namespace {

int64_t MinuteOf(absl::Time now) { return absl::ToUnixSeconds(now) / 60; }

}  // namespace

void RecentCalls::Add(FailureClass failure, absl::Time now) {
  if (failure == FailureClass::kCancelled) return;
  const int64_t number = MinuteOf(now);
  Minute& minute = minutes_[static_cast<size_t>(number % kMinutes)];
  if (minute.minute != number) minute = {number, {}};
  ++minute.sums.calls;
  if (failure == FailureClass::kNone) return;
  ++minute.sums.failures;
  if (failure == FailureClass::kRate) ++minute.sums.rate;
  last_failure_ = failure;
  last_failure_time_ = now;
}

RecentCalls::Sums RecentCalls::Last(absl::Time now) const {
  Sums sums;
  const int64_t number = MinuteOf(now);
  for (const Minute& minute : minutes_) {
    if (minute.minute <= number - kMinutes || minute.minute > number) continue;
    sums.calls += minute.sums.calls;
    sums.failures += minute.sums.failures;
    sums.rate += minute.sums.rate;
  }
  return sums;
}

}  // namespace assay::judge
