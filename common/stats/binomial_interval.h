// Intervals for a proportion of independent trials.
#ifndef ASSAY_COMMON_STATS_BINOMIAL_INTERVAL_H_
#define ASSAY_COMMON_STATS_BINOMIAL_INTERVAL_H_

#include <cstdint>

#include "common/stats/interval.h"

namespace assay::stats {

// Both want 0 <= successes <= trials and 0 < confidence < 1; no trial at all gives [0, 1].
// Thread-safe, as all here.

// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
// (1927): inverts the score test. With z the normal quantile, n trials and proportion p, the ends
// are
//   (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
Interval WilsonInterval(int64_t successes, int64_t trials, double confidence = 0.95);

// C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
// case of the binomial", Biometrika 26 (1934): exact, never covers less than it says. With a = 1 -
// confidence and k successes, the ends are the a/2 quantile of Beta(k, n-k+1) and the 1-a/2
// quantile of Beta(k+1, n-k).
Interval ClopperPearsonInterval(int64_t successes, int64_t trials, double confidence = 0.95);

}  // namespace assay::stats

#endif  // ASSAY_COMMON_STATS_BINOMIAL_INTERVAL_H_
