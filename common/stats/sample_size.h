// How many more labels would settle a question.
#ifndef ASSAY_COMMON_STATS_SAMPLE_SIZE_H_
#define ASSAY_COMMON_STATS_SAMPLE_SIZE_H_

#include <cstdint>

#include "common/stats/interval.h"

namespace assay::stats {

// About how many items, in all, would make the interval of `difference` end at zero, if the
// difference stays as it is: widths shrink with the square root of the number, so n (distance to
// the end beyond zero / difference)^2. 0 if the difference is 0 or its interval does not hold zero.
// At most a million. Thread-safe.
int64_t ItemsToSettle(double difference, const Interval& interval, int64_t items);

}  // namespace assay::stats

#endif  // ASSAY_COMMON_STATS_SAMPLE_SIZE_H_
