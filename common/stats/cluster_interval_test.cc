#include "common/stats/cluster_interval.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "common/stats/random.h"

namespace assay::stats {
namespace {

std::vector<int> OneEach(size_t n) {
  std::vector<int> clusters(n);
  std::iota(clusters.begin(), clusters.end(), 0);
  return clusters;
}

TEST(ClusterIntervalTest, GroupsByFirstAppearance) {
  EXPECT_EQ(GroupByCluster({7, 3, 7}), (std::vector<std::vector<size_t>>{{0, 2}, {1}}));
}

TEST(ClusterIntervalTest, TheBootstrapIsTheSameEverywhere) {
  const std::vector<std::vector<size_t>> clusters = GroupByCluster(OneEach(4));
  const std::vector<double> values = {0, 0, 1, 1};
  const auto mean = [&](absl::Span<const size_t> items) -> std::optional<double> {
    double sum = 0;
    for (size_t item : items) sum += values[item];
    return sum / static_cast<double>(items.size());
  };
  const std::optional<Interval> first = ClusterBootstrap(clusters, mean);
  EXPECT_EQ(first, ClusterBootstrap(clusters, mean));
  EXPECT_EQ(*first, (Interval{0, 1}));
}

TEST(ClusterIntervalTest, AStatisticThatIsNeverDefinedHasNoInterval) {
  EXPECT_EQ(ClusterBootstrap(GroupByCluster(OneEach(4)),
                             [](absl::Span<const size_t>) { return std::nullopt; }),
            std::nullopt);
}

TEST(ClusterIntervalTest, EqualValuesStillHaveWidth) {
  // Ten of ten: 11/12 +- 2.262 sqrt((10/144 + 121/144) / 144).
  const std::vector<double> all(10, 1.0);
  const Interval interval = ClusterMeanInterval(all, OneEach(10), {0, 1});
  EXPECT_EQ(interval.high, 1);
  EXPECT_NEAR(interval.low, 11.0 / 12 - 2.26216 * 0.957427 / 12, 1e-4);
  // No change on ten pairs does not prove that there is none.
  const Interval none = ClusterMeanInterval(std::vector<double>(10, 0.0), OneEach(10), {-1, 1});
  EXPECT_NEAR(none.low, -none.high, 1e-12);
  EXPECT_NEAR(none.high, 2.26216 * 1.414214 / 12, 1e-4);
}

TEST(ClusterIntervalTest, OneClusterSaysNothing) {
  EXPECT_EQ(ClusterMeanInterval({1.0, 1.0}, {5, 5}, {-1, 1}), (Interval{-1, 1}));
}

TEST(ClusterIntervalTest, ClustersWidenTheInterval) {
  std::vector<double> values;
  std::vector<int> clusters;
  for (int i = 0; i < 60; ++i) {
    values.push_back(i / 6 % 2);
    clusters.push_back(i / 6);
  }
  EXPECT_GT(ClusterMeanInterval(values, clusters, {0, 1}).width(),
            1.8 * ClusterMeanInterval(values, OneEach(60), {0, 1}).width());
}

TEST(ClusterIntervalTest, PerfectKappaStillHasWidth) {
  std::vector<RatedPair> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back({i % 2, i % 2});
  const std::optional<Interval> interval =
      ClusterKappaInterval(pairs, 2, KappaWeights::kNone, OneEach(20));
  ASSERT_TRUE(interval.has_value());
  EXPECT_EQ(interval->high, 1);
  EXPECT_LT(interval->low, 0.85);
  EXPECT_GT(interval->low, 0.5);
  EXPECT_EQ(ClusterKappaInterval(std::vector<RatedPair>(5, RatedPair{0, 0}), 2, KappaWeights::kNone,
                                 OneEach(5)),
            std::nullopt);
}

struct World {
  int clusters;
  int cluster_size;
  double plus;      // The chance that an item is set right,
  double minus;     // that it is broken,
  double together;  // and that it goes with the first of its cluster.
};

// The share of seeds whose nominal 95 % interval holds the true difference.
double Coverage(const World& world) {
  constexpr int kSeeds = 500;
  int covered = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Random random(1000, static_cast<uint64_t>(seed));
    std::vector<double> values;
    std::vector<int> clusters;
    for (int c = 0; c < world.clusters; ++c) {
      double first = 0;
      for (int i = 0; i < world.cluster_size; ++i) {
        const double unit = random.Unit();
        double value = unit < world.plus ? 1 : unit < world.plus + world.minus ? -1 : 0;
        if (i == 0) first = value;
        if (i > 0 && random.Unit() < world.together) value = first;
        values.push_back(value);
        clusters.push_back(c);
      }
    }
    const Interval interval = ClusterMeanInterval(
        values, clusters, {-1, 1}, {.resamples = 400, .seed = static_cast<uint64_t>(seed)});
    covered += interval.Contains(world.plus - world.minus) ? 1 : 0;
  }
  return covered / static_cast<double>(kSeeds);
}

TEST(ClusterIntervalTest, CoversTheTrueDifferenceAsOftenAsItSays) {
  for (const World& world : {World{50, 1, 0.3, 0.1, 0}, World{20, 1, 0.25, 0.25, 0},
                             World{25, 3, 0.3, 0.2, 0.7}, World{100, 1, 0.1, 0.05, 0}}) {
    const double coverage = Coverage(world);
    EXPECT_GE(coverage, 0.92) << world.clusters;
    EXPECT_LE(coverage, 0.99) << world.clusters;
  }
}

TEST(ClusterIntervalTest, FewClustersAreNotOverconfident) {
  EXPECT_GE(Coverage({8, 1, 0.4, 0.1, 0}), 0.92);
  EXPECT_GE(Coverage({12, 1, 0.05, 0.02, 0}), 0.92);
}

}  // namespace
}  // namespace assay::stats
