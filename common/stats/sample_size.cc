#include "common/stats/sample_size.h"

#include <algorithm>
#include <cmath>

namespace assay::stats {

int64_t ItemsToSettle(double difference, const Interval& interval, int64_t items) {
  constexpr double kMost = 1e6;
  if (difference == 0 || items <= 0 || !interval.Contains(0)) return 0;
  const double distance = difference > 0 ? difference - interval.low : interval.high - difference;
  const double factor = distance / std::abs(difference);
  const double needed = std::ceil(static_cast<double>(items) * factor * factor);
  return static_cast<int64_t>(std::clamp(needed, static_cast<double>(items) + 1, kMost));
}

}  // namespace assay::stats
