#include "common/stats/cluster_interval.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>

#include "common/stats/random.h"

namespace assay::stats {
namespace {

// The q quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan, 1996).
double Quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double part = position - static_cast<double>(below);
  return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

struct ClusterSum {
  double sum = 0;
  double size = 0;
};

std::vector<ClusterSum> SumClusters(absl::Span<const double> values,
                                    const std::vector<std::vector<size_t>>& groups) {
  std::vector<ClusterSum> sums;
  sums.reserve(groups.size());
  for (const std::vector<size_t>& group : groups) {
    ClusterSum cluster;
    for (size_t item : group) cluster.sum += values[item];
    cluster.size = static_cast<double>(group.size());
    sums.push_back(cluster);
  }
  return sums;
}

// The percentile bootstrap of a mean needs only the clusters' sums.
Interval MeanBootstrap(const std::vector<ClusterSum>& clusters, const BootstrapOptions& options) {
  Random random(options.seed);
  std::vector<double> means;
  means.reserve(static_cast<size_t>(options.resamples));
  for (int b = 0; b < options.resamples; ++b) {
    ClusterSum drawn;
    for (size_t i = 0; i < clusters.size(); ++i) {
      const ClusterSum& cluster = clusters[random.Below(clusters.size())];
      drawn.sum += cluster.sum;
      drawn.size += cluster.size;
    }
    means.push_back(drawn.sum / drawn.size);
  }
  std::sort(means.begin(), means.end());
  const double tail = (1 - options.confidence) / 2;
  return {Quantile(means, tail), Quantile(means, 1 - tail)};
}

// The t interval on the sample and two imaginary clusters at the ends of the range.
Interval AdjustedT(std::vector<ClusterSum> clusters, const ValueRange& range, double confidence) {
  const double real_clusters = static_cast<double>(clusters.size());
  double items = 0;
  for (const ClusterSum& cluster : clusters) items += cluster.size;
  const double size = items / real_clusters;
  clusters.push_back({range.low * size, size});
  clusters.push_back({range.high * size, size});
  items += 2 * size;
  double total = 0;
  for (const ClusterSum& cluster : clusters) total += cluster.sum;
  const double mean = total / items;
  double squares = 0;
  for (const ClusterSum& cluster : clusters) {
    const double residual = cluster.sum - mean * cluster.size;
    squares += residual * residual;
  }
  const double standard_error = std::sqrt(squares) / items;
  const boost::math::students_t_distribution<> t(real_clusters - 1);
  const double half = boost::math::quantile(t, 0.5 + confidence / 2) * standard_error;
  return {mean - half, mean + half};
}

Interval Hull(const Interval& a, const Interval& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

}  // namespace

std::vector<std::vector<size_t>> GroupByCluster(absl::Span<const int> clusters) {
  std::map<int, size_t> places;
  std::vector<std::vector<size_t>> groups;
  for (size_t i = 0; i < clusters.size(); ++i) {
    const auto [place, is_new] = places.try_emplace(clusters[i], groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(i);
  }
  return groups;
}

std::optional<Interval> ClusterBootstrap(
    const std::vector<std::vector<size_t>>& clusters,
    const std::function<std::optional<double>(absl::Span<const size_t>)>& statistic,
    const BootstrapOptions& options) {
  if (clusters.empty()) return std::nullopt;
  Random random(options.seed);
  std::vector<double> values;
  std::vector<size_t> items;
  for (int b = 0; b < options.resamples; ++b) {
    items.clear();
    for (size_t i = 0; i < clusters.size(); ++i) {
      const std::vector<size_t>& drawn = clusters[random.Below(clusters.size())];
      items.insert(items.end(), drawn.begin(), drawn.end());
    }
    const std::optional<double> value = statistic(items);
    if (value.has_value()) values.push_back(*value);
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double tail = (1 - options.confidence) / 2;
  return Interval{Quantile(values, tail), Quantile(values, 1 - tail)};
}

Interval ClusterMeanInterval(absl::Span<const double> values, absl::Span<const int> clusters,
                             const ValueRange& range, const BootstrapOptions& options) {
  const std::vector<ClusterSum> sums = SumClusters(values, GroupByCluster(clusters));
  if (sums.size() < 2) return {range.low, range.high};
  const Interval hull =
      Hull(MeanBootstrap(sums, options), AdjustedT(sums, range, options.confidence));
  return {std::max(hull.low, range.low), std::min(hull.high, range.high)};
}

std::optional<Interval> ClusterKappaInterval(absl::Span<const RatedPair> pairs, int categories,
                                             KappaWeights weights, absl::Span<const int> clusters,
                                             const BootstrapOptions& options) {
  const Disagreement whole = WeightedDisagreement(pairs, categories, weights);
  if (whole.expected <= 1e-12) return std::nullopt;
  std::vector<double> disagreements;
  disagreements.reserve(pairs.size());
  for (const RatedPair& pair : pairs) {
    disagreements.push_back(DisagreementWeight(pair, categories, weights));
  }
  const Interval observed = ClusterMeanInterval(disagreements, clusters, {0, 1}, options);
  Interval interval{1 - observed.high / whole.expected, 1 - observed.low / whole.expected};
  std::vector<RatedPair> drawn;
  const std::optional<Interval> bootstrap = ClusterBootstrap(
      GroupByCluster(clusters),
      [&](absl::Span<const size_t> items) {
        drawn.clear();
        for (size_t item : items) drawn.push_back(pairs[item]);
        return CohenKappa(drawn, categories, weights);
      },
      options);
  if (bootstrap.has_value()) interval = Hull(interval, *bootstrap);
  return Interval{std::max(-1.0, interval.low), std::min(1.0, interval.high)};
}

}  // namespace assay::stats
