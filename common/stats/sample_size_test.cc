#include "common/stats/sample_size.h"

#include <gtest/gtest.h>

namespace assay::stats {
namespace {

TEST(SampleSizeTest, HalvingTheDistanceTakesFourTimesAsMany) {
  EXPECT_EQ(ItemsToSettle(0.05, {-0.05, 0.15}, 50), 200);
  EXPECT_EQ(ItemsToSettle(-0.05, {-0.15, 0.05}, 50), 200);
}

TEST(SampleSizeTest, NothingToSettle) {
  EXPECT_EQ(ItemsToSettle(0, {-0.1, 0.1}, 50), 0);
  EXPECT_EQ(ItemsToSettle(0.2, {0.1, 0.3}, 50), 0);
}

TEST(SampleSizeTest, StaysWithinBounds) {
  EXPECT_EQ(ItemsToSettle(0.0001, {-0.5, 0.5}, 50), 1'000'000);
  EXPECT_EQ(ItemsToSettle(0.1, {0, 0.2}, 50), 51);
}

}  // namespace
}  // namespace assay::stats
