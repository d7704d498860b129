#include "services/alignment/core/majority.h"

#include <gtest/gtest.h>

namespace assay::alignment {
namespace {

std::vector<Label> Labels(const std::vector<std::string>& keys) {
  std::vector<Label> labels;
  for (const std::string& key : keys) labels.push_back({"", key});
  return labels;
}

common::v1::ValueType Categories(bool ordered) {
  common::v1::ValueType type;
  for (const char* name : {"best", "middle", "worst"}) {
    type.mutable_category_type()->add_categories(name);
  }
  type.mutable_category_type()->set_ordered(ordered);
  return type;
}

TEST(MajorityTest, TheCommonestLabelCounts) {
  EXPECT_EQ(MajorityKey(Labels({"best", "worst", "worst"}), Categories(false)), "worst");
  EXPECT_EQ(MajorityKey(Labels({"best"}), Categories(false)), "best");
}

TEST(MajorityTest, ATieBetweenUnorderedLabelsHasNoWinner) {
  EXPECT_EQ(MajorityKey(Labels({"best", "worst"}), Categories(false)), std::nullopt);
  common::v1::ValueType yes_or_no;
  yes_or_no.mutable_bool_type();
  EXPECT_EQ(MajorityKey(Labels({"true", "false"}), yes_or_no), std::nullopt);
}

TEST(MajorityTest, ATieBetweenOrderedLabelsGoesToTheMedianTowardsTheWorse) {
  EXPECT_EQ(MajorityKey(Labels({"best", "middle"}), Categories(true)), "middle");
  EXPECT_EQ(MajorityKey(Labels({"worst", "best"}), Categories(true)), "worst");
  EXPECT_EQ(MajorityKey(Labels({"best", "middle", "worst"}), Categories(true)), "middle");
  EXPECT_EQ(MajorityKey(Labels({"best", "best", "worst", "worst", "middle"}), Categories(true)),
            "middle");
}

}  // namespace
}  // namespace assay::alignment
