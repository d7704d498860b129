#include "common/stats/sign_test.h"

#include <gtest/gtest.h>

namespace assay::stats {
namespace {

TEST(SignTestTest, OneSidedByHand) {
  EXPECT_DOUBLE_EQ(SignTestOneSided(3, 0), 0.125);
  EXPECT_DOUBLE_EQ(SignTestOneSided(2, 0), 0.25);
  // (C(6,5) + C(6,6)) / 64.
  EXPECT_NEAR(SignTestOneSided(5, 1), 7.0 / 64, 1e-12);
  EXPECT_DOUBLE_EQ(SignTestOneSided(0, 5), 1);
}

TEST(SignTestTest, NothingChangedIsNoEvidence) {
  EXPECT_EQ(SignTestOneSided(0, 0), 1);
  EXPECT_EQ(SignTestTwoSided(0, 0), 1);
}

TEST(SignTestTest, TwoSidedByHand) {
  EXPECT_NEAR(SignTestTwoSided(5, 1), 14.0 / 64, 1e-12);
  EXPECT_NEAR(SignTestTwoSided(1, 5), 14.0 / 64, 1e-12);
  EXPECT_EQ(SignTestTwoSided(3, 3), 1);
}

}  // namespace
}  // namespace assay::stats
