#include "services/judge/clients/limits/adaptive_limit.h"

#include <algorithm>

namespace assay::judge {

AdaptiveLimit::AdaptiveLimit(int64_t max)
    : max_(std::max<int64_t>(max, 1)),
      step_(std::max(1.0, static_cast<double>(max) / 64)),
      limit_(static_cast<double>(max_)) {}

void AdaptiveLimit::OnSuccess(int64_t in_flight) {
  const auto max = static_cast<double>(max_);
  // A limit that nobody meets says nothing about what the provider takes.
  if (limit_ >= max || static_cast<double>(2 * in_flight) < limit_) return;
  limit_ = std::min(max, limit_ + step_ / limit_);
}

void AdaptiveLimit::OnOverload(uint64_t ticket) {
  if (ticket != decreases_) return;
  ++decreases_;
  limit_ = std::max(1.0, limit_ / 2);
}

}  // namespace assay::judge
