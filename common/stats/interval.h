// An estimate with its interval.
#ifndef ASSAY_COMMON_STATS_INTERVAL_H_
#define ASSAY_COMMON_STATS_INTERVAL_H_

namespace assay::stats {

// low <= high; the estimate need not lie in the middle.
struct Interval {
  double low = 0;
  double high = 0;

  double width() const { return high - low; }
  bool Contains(double value) const { return low <= value && value <= high; }
  bool operator==(const Interval&) const = default;
};

}  // namespace assay::stats

#endif  // ASSAY_COMMON_STATS_INTERVAL_H_
