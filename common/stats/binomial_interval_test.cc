#include "common/stats/binomial_interval.h"

#include <gtest/gtest.h>

#include <cmath>

namespace assay::stats {
namespace {

TEST(BinomialIntervalTest, WilsonByHand) {
  // p = 0.8, n = 10, z = 1.959964: centre (0.8 + 0.192073) / 1.384146, half 0.226715.
  const Interval interval = WilsonInterval(8, 10);
  EXPECT_NEAR(interval.low, 0.4902, 1e-4);
  EXPECT_NEAR(interval.high, 0.9433, 1e-4);
}

TEST(BinomialIntervalTest, WilsonAtTheEdges) {
  EXPECT_EQ(WilsonInterval(0, 10).low, 0);
  EXPECT_NEAR(WilsonInterval(0, 10).high, 0.2775, 1e-4);
  EXPECT_EQ(WilsonInterval(0, 0), (Interval{0, 1}));
}

TEST(BinomialIntervalTest, ClopperPearsonByHand) {
  // All of n: the lower end is (alpha / 2)^(1/n).
  EXPECT_NEAR(ClopperPearsonInterval(10, 10).low, std::pow(0.025, 0.1), 1e-9);
  EXPECT_EQ(ClopperPearsonInterval(10, 10).high, 1);
  EXPECT_NEAR(ClopperPearsonInterval(0, 10).high, 1 - std::pow(0.025, 0.1), 1e-9);
  // Tables: 8 of 10 gives 0.4439 to 0.9748.
  EXPECT_NEAR(ClopperPearsonInterval(8, 10).low, 0.4439, 1e-4);
  EXPECT_NEAR(ClopperPearsonInterval(8, 10).high, 0.9748, 1e-4);
  EXPECT_EQ(ClopperPearsonInterval(0, 0), (Interval{0, 1}));
}

double BinomialProbability(int n, int k, double p) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                  k * std::log(p) + (n - k) * std::log1p(-p));
}

TEST(BinomialIntervalTest, CoverageIsWhatItSays) {
  // Exact coverage: the probability of all outcomes whose interval holds the truth.
  double wilson_mean = 0;
  for (int step = 1; step < 100; ++step) {
    const double p = step / 100.0;
    double exact = 0, wilson = 0;
    for (int k = 0; k <= 40; ++k) {
      const double probability = BinomialProbability(40, k, p);
      if (ClopperPearsonInterval(k, 40).Contains(p)) exact += probability;
      if (WilsonInterval(k, 40).Contains(p)) wilson += probability;
    }
    EXPECT_GE(exact, 0.95 - 1e-9) << p;
    wilson_mean += wilson / 99;
  }
  EXPECT_NEAR(wilson_mean, 0.95, 0.01);
}

}  // namespace
}  // namespace assay::stats
