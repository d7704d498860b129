#include "common/stats/agreement.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay::stats {
namespace {

// The table of counts as pairs.
std::vector<RatedPair> Pairs(const std::vector<std::vector<int>>& table) {
  std::vector<RatedPair> pairs;
  for (size_t i = 0; i < table.size(); ++i) {
    for (size_t j = 0; j < table[i].size(); ++j) {
      for (int count = 0; count < table[i][j]; ++count) {
        pairs.push_back({static_cast<int>(i), static_cast<int>(j)});
      }
    }
  }
  return pairs;
}

TEST(AgreementTest, PlainKappaByHand) {
  // Agreement 35/50 = 0.7; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; kappa (0.7 - 0.5) / 0.5.
  const std::vector<RatedPair> pairs = Pairs({{20, 5}, {10, 15}});
  EXPECT_DOUBLE_EQ(PercentAgreement(pairs), 0.7);
  EXPECT_NEAR(*CohenKappa(pairs, 2), 0.4, 1e-12);
}

TEST(AgreementTest, WeightedKappaByHand) {
  // Marginals (0.5, 0.3, 0.2) and (0.4, 0.4, 0.2).
  const std::vector<RatedPair> pairs = Pairs({{7, 2, 1}, {1, 5, 0}, {0, 1, 3}});
  // Linear: Do = (2/2 + 1 + 1/2 + 1/2) / 20 = 0.15;
  // De = 0.5 (0.4/2 + 0.2) + 0.3 (0.4/2 + 0.2/2) + 0.2 (0.4 + 0.4/2) = 0.2 + 0.09 + 0.12 = 0.41.
  EXPECT_NEAR(*CohenKappa(pairs, 3, KappaWeights::kLinear), 1 - 0.15 / 0.41, 1e-12);
  // Quadratic: Do = (2/4 + 1 + 1/4 + 1/4) / 20 = 0.1;
  // De = 0.5 (0.4/4 + 0.2) + 0.3 (0.4/4 + 0.2/4) + 0.2 (0.4 + 0.4/4) = 0.15 + 0.045 + 0.1 = 0.295.
  EXPECT_NEAR(*CohenKappa(pairs, 3, KappaWeights::kQuadratic), 1 - 0.1 / 0.295, 1e-12);
}

TEST(AgreementTest, PerfectAndReversedKappa) {
  EXPECT_NEAR(*CohenKappa(Pairs({{5, 0}, {0, 5}}), 2), 1, 1e-12);
  EXPECT_NEAR(*CohenKappa(Pairs({{0, 5}, {5, 0}}), 2), -1, 1e-12);
}

TEST(AgreementTest, KappaIsUndefinedWhereNothingVaries) {
  EXPECT_EQ(CohenKappa(Pairs({{9, 0}, {0, 0}}), 2), std::nullopt);
  EXPECT_EQ(CohenKappa({}, 2), std::nullopt);
}

TEST(AgreementTest, AConstantRaterIsNoBetterThanChance) {
  EXPECT_NEAR(*CohenKappa(Pairs({{6, 0}, {4, 0}}), 2), 0, 1e-12);
}

TEST(AgreementTest, NoCategoryIsFullDisagreement) {
  const std::vector<RatedPair> pairs = {{0, 0}, {1, 1}, {1, kNoCategory}, {0, 0}};
  EXPECT_DOUBLE_EQ(PercentAgreement(pairs), 0.75);
  // Do = 1/4; De = 0.5 (0.25 + 0.25) + 0.5 (0.5 + 0.25) = 0.625.
  EXPECT_NEAR(*CohenKappa(pairs, 2, KappaWeights::kQuadratic), 1 - 0.25 / 0.625, 1e-12);
  EXPECT_EQ(DisagreementWeight({kNoCategory, kNoCategory}, 3, KappaWeights::kLinear), 1);
}

TEST(AgreementTest, PairwiseAgreementByHand) {
  EXPECT_EQ(PairwiseAgreement({1}), std::nullopt);
  EXPECT_DOUBLE_EQ(*PairwiseAgreement({1, 1}), 1);
  EXPECT_NEAR(*PairwiseAgreement({1, 1, 2}), 1.0 / 3, 1e-12);
}

}  // namespace
}  // namespace assay::stats
