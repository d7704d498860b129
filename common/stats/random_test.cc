#include "common/stats/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace assay::stats {
namespace {

TEST(RandomTest, TheSequenceIsTheStandardsOwn) {
  // The C++ standard fixes the 10,000th number of a default-seeded mt19937_64.
  Random random(std::mt19937_64::default_seed);
  uint64_t last = 0;
  for (int i = 0; i < 10'000; ++i) last = random.Next();
  EXPECT_EQ(last, 9981545732273789042ULL);
}

TEST(RandomTest, BelowCoversItsRangeEvenly) {
  Random random(7);
  std::vector<int> counts(6, 0);
  for (int i = 0; i < 60'000; ++i) ++counts[random.Below(6)];
  for (int count : counts) EXPECT_NEAR(count, 10'000, 400);
}

TEST(RandomTest, BelowOneIsZero) {
  Random random(7);
  EXPECT_EQ(random.Below(1), 0u);
}

TEST(RandomTest, StreamsOfOneSeedDiffer) {
  EXPECT_NE(Random(1, 1).Next(), Random(1, 2).Next());
  EXPECT_EQ(Random(1, 2).Next(), Random(1, 2).Next());
}

TEST(RandomTest, UnitStaysBelowOne) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    const double unit = random.Unit();
    EXPECT_GE(unit, 0);
    EXPECT_LT(unit, 1);
  }
}

TEST(RandomTest, ShuffleKeepsTheItems) {
  std::vector<int> items = {1, 2, 3, 4, 5, 6, 7, 8};
  Random(5).Shuffle(items);
  EXPECT_NE(items, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace assay::stats
