// Intervals for items that come in clusters (the same prompt judged twice says less than two
// prompts).
//
// Resampling whole clusters (A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their
// Application", 1997, 3.8) respects the clusters, but the percentile interval is too narrow where
// clusters are few, and has no width at all where all items are equal: ten right answers out of ten
// would "prove" a perfect judge. So each interval here is the hull of two:
//   1. the percentile bootstrap over clusters;
//   2. a t interval, with one degree of freedom less than there are clusters, whose standard error
//   is computed between
//      clusters, on the sample and two imaginary clusters of average size, one at each end of the
//      range of possible values. For paired yes-or-no differences it is the adjusted Wald interval
//      of D. G. Bonett and R. M. Price, "Adjusted Wald confidence interval for a difference of
//      binomial proportions based on paired data", Journal of Educational and Behavioral Statistics
//      37 (2012), with t in the place of z.
// The price is that it covers somewhat more than it says when clusters are few and values nearly
// all equal.
#ifndef ASSAY_COMMON_STATS_CLUSTER_INTERVAL_H_
#define ASSAY_COMMON_STATS_CLUSTER_INTERVAL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/stats/agreement.h"
#include "common/stats/interval.h"

namespace assay::stats {

struct BootstrapOptions {
  double confidence = 0.95;
  int resamples = 2000;
  uint64_t seed = 42;
};

// The items of each cluster, by index: clusters[i] is the cluster of item i, any numbers. In order
// of first appearance.
std::vector<std::vector<size_t>> GroupByCluster(absl::Span<const int> clusters);

// The percentile bootstrap: draws as many clusters as there are, with replacement, and computes
// `statistic` of their items; resamples where it is not defined are left out. nullopt if it is
// defined in none. The same on every platform. Thread-safe, as all here.
std::optional<Interval> ClusterBootstrap(
    const std::vector<std::vector<size_t>>& clusters,
    const std::function<std::optional<double>(absl::Span<const size_t> items)>& statistic,
    const BootstrapOptions& options = {});

// The values that an item can have at all.
struct ValueRange {
  double low = 0;
  double high = 1;
};

// For the mean of `values` (each within `range`): the hull above, cut to the range. A single
// cluster gives the whole range, for nothing is known of the differences between clusters. For a
// paired difference of two judges, pass each item's difference with range -1 to 1. `values` and
// `clusters` have the same size, at least 1.
Interval ClusterMeanInterval(absl::Span<const double> values, absl::Span<const int> clusters,
                             const ValueRange& range, const BootstrapOptions& options = {});

// For Cohen's kappa: the hull of the percentile bootstrap and of 1 - D / De, D being the interval
// for the mean weighted disagreement and De the expected one, held fixed. nullopt where kappa is
// not defined.
std::optional<Interval> ClusterKappaInterval(absl::Span<const RatedPair> pairs, int categories,
                                             KappaWeights weights, absl::Span<const int> clusters,
                                             const BootstrapOptions& options = {});

}  // namespace assay::stats

#endif  // ASSAY_COMMON_STATS_CLUSTER_INTERVAL_H_
