// Agreement between two raters, and among several.
#ifndef ASSAY_COMMON_STATS_AGREEMENT_H_
#define ASSAY_COMMON_STATS_AGREEMENT_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace assay::stats {

// A rater who came to no category.
inline constexpr int kNoCategory = -1;

// What two raters said of one item: categories 0 .. k-1, or kNoCategory.
struct RatedPair {
  int first = 0;
  int second = 0;
  bool operator==(const RatedPair&) const = default;
};

enum class KappaWeights {
  kNone,       // 0 for the same category, else 1.
  kLinear,     // |i - j| / (k - 1).
  kQuadratic,  // The square of that.
};

// The weight of a disagreement, from 0 to 1. No category disagrees fully with everything, itself
// included.
double DisagreementWeight(const RatedPair& pair, int categories, KappaWeights weights);

// The share of pairs with the same category; 0 without pairs. Thread-safe, as all here.
double PercentAgreement(absl::Span<const RatedPair> pairs);

// Observed and expected weighted disagreement, Do = mean of w and De = sum over i, j of r_i c_j
// w_ij / n^2 with the marginals r and c of the two raters.
struct Disagreement {
  double observed = 0;
  double expected = 0;
};
Disagreement WeightedDisagreement(absl::Span<const RatedPair> pairs, int categories,
                                  KappaWeights weights);

// Cohen's kappa, 1 - Do / De. J. Cohen, "A coefficient of agreement for nominal scales",
// Educational and Psychological Measurement 20 (1960); "Weighted kappa", Psychological Bulletin 70
// (1968). nullopt where it is not defined: no pairs, or De = 0 (both raters always say the same one
// category).
std::optional<double> CohenKappa(absl::Span<const RatedPair> pairs, int categories,
                                 KappaWeights weights = KappaWeights::kNone);

// Agreement among several raters of one item: the share of its pairs of ratings that are equal (the
// P_i of J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological
// Bulletin 76 (1971)). nullopt with fewer than two ratings.
std::optional<double> PairwiseAgreement(absl::Span<const int> ratings);

}  // namespace assay::stats

#endif  // ASSAY_COMMON_STATS_AGREEMENT_H_
