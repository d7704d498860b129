#include "services/alignment/core/folds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace assay::alignment {
namespace {

std::vector<LabelledCase> Cases(int count, int per_cluster) {
  std::vector<LabelledCase> cases(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    cases[static_cast<size_t>(i)].cluster = i / per_cluster;
    cases[static_cast<size_t>(i)].key = i % 4 == 0 ? "poor" : "good";
  }
  return cases;
}

TEST(FoldsTest, NeverPartsACluster) {
  const std::vector<LabelledCase> cases = Cases(60, 3);
  const std::vector<int> folds = AssignFolds(cases, 5, 42);
  std::map<int, std::set<int>> of_cluster;
  for (size_t i = 0; i < cases.size(); ++i) of_cluster[cases[i].cluster].insert(folds[i]);
  for (const auto& [cluster, seen] : of_cluster) EXPECT_EQ(seen.size(), 1u);
}

TEST(FoldsTest, BalancesSizesAndValues) {
  const std::vector<LabelledCase> cases = Cases(80, 1);
  const std::vector<int> folds = AssignFolds(cases, 5, 42);
  std::map<int, int> sizes, poor;
  for (size_t i = 0; i < cases.size(); ++i) {
    ++sizes[folds[i]];
    if (cases[i].key == "poor") ++poor[folds[i]];
  }
  for (int fold = 0; fold < 5; ++fold) {
    EXPECT_EQ(sizes[fold], 16);
    EXPECT_EQ(poor[fold], 4);
  }
}

TEST(FoldsTest, TheSeedDecides) {
  const std::vector<LabelledCase> cases = Cases(40, 1);
  EXPECT_EQ(AssignFolds(cases, 5, 1), AssignFolds(cases, 5, 1));
  EXPECT_NE(AssignFolds(cases, 5, 1), AssignFolds(cases, 5, 2));
}

TEST(FoldsTest, ThereAreNoMoreFoldsThanClusters) {
  const std::vector<int> folds = AssignFolds(Cases(10, 5), 5, 42);
  EXPECT_EQ(std::set<int>(folds.begin(), folds.end()), (std::set<int>{0, 1}));
}

TEST(FoldsTest, InsideAndOutsideMakeTheWhole) {
  const std::vector<int> folds = {0, 1, 0, 2};
  EXPECT_EQ(CasesOf(folds, 0), (std::vector<size_t>{0, 2}));
  EXPECT_EQ(CasesOutside(folds, 0), (std::vector<size_t>{1, 3}));
  EXPECT_EQ(CasesOutside(folds, 3).size(), 4u);
}

TEST(FoldsTest, SamplesInOrder) {
  EXPECT_EQ(Sample({1, 2, 3}, 5, 1), (std::vector<size_t>{1, 2, 3}));
  const std::vector<size_t> sampled = Sample({1, 2, 3, 4, 5, 6, 7, 8}, 3, 1);
  EXPECT_EQ(sampled.size(), 3u);
  EXPECT_TRUE(std::is_sorted(sampled.begin(), sampled.end()));
}

}  // namespace
}  // namespace assay::alignment
