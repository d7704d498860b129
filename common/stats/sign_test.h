// The exact sign test.
#ifndef ASSAY_COMMON_STATS_SIGN_TEST_H_
#define ASSAY_COMMON_STATS_SIGN_TEST_H_

#include <cstdint>

namespace assay::stats {

// Of pairs that changed, `worse` went one way and `better` the other; ties are left out. W. J.
// Dixon and A. M. Mood, "The statistical sign test", JASA 41 (1946); with paired yes-or-no outcomes
// it is McNemar's exact test. 1 if nothing changed. Counts are not negative. Thread-safe, as all
// here.

// P(X >= worse), X ~ Binomial(worse + better, 1/2): small when there are too many of `worse` for
// chance.
double SignTestOneSided(int64_t worse, int64_t better);

// Twice the smaller tail, at most 1.
double SignTestTwoSided(int64_t worse, int64_t better);

}  // namespace assay::stats

#endif  // ASSAY_COMMON_STATS_SIGN_TEST_H_
