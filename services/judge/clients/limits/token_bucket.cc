#include "services/judge/clients/limits/token_bucket.h"

#include <algorithm>

namespace assay::judge {
namespace {

constexpr double kBurstSeconds = 5;

}  // namespace

TokenBucket::TokenBucket(double per_minute, absl::Time now)
    : per_second_(per_minute / 60),
      capacity_(std::max(1.0, per_second_ * kBurstSeconds)),
      level_(capacity_),
      filled_(now) {}

absl::Duration TokenBucket::WaitFor(double amount, absl::Time now) {
  if (!limited()) return absl::ZeroDuration();
  Fill(now);
  const double missing = std::min(amount, capacity_) - level_;
  if (missing <= 1e-9) return absl::ZeroDuration();
  return absl::Seconds(missing / per_second_) + absl::Milliseconds(1);
}

void TokenBucket::Correct(double amount) {
  if (limited()) level_ = std::min(capacity_, level_ + amount);
}

void TokenBucket::Fill(absl::Time now) {
  if (now <= filled_) return;
  level_ = std::min(capacity_, level_ + absl::ToDoubleSeconds(now - filled_) * per_second_);
  filled_ = now;
}

}  // namespace assay::judge
