#include "services/alignment/store/alignment_keys.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "common/status/status_matchers.h"

namespace assay::alignment {
namespace {

const names::AlignmentName kName{"support", "first"};

TEST(AlignmentKeysTest, DecodersReadWhatEncodersWrote) {
  EXPECT_EQ(*DecodeAlignmentKey(AlignmentKey(kName)), kName);
  EXPECT_EQ(*DecodeInputKey(InputKey(kName)), kName);
  EXPECT_EQ(*DecodeResultKey(ResultKey(kName)), kName);
  EXPECT_EQ(*DecodeRunningKey(RunningKey(kName)), kName);
  EXPECT_EQ(DecodeCaseKey(CaseKey(kName, 7))->name, kName);
  EXPECT_EQ(DecodeCaseKey(CaseKey(kName, 7))->index, 7u);
}

TEST(AlignmentKeysTest, CasesStandInTheOrderOfTheirIndex) {
  EXPECT_LT(CaseKey(kName, 2), CaseKey(kName, 10));
  EXPECT_LT(CaseKey(kName, 255), CaseKey(kName, 256));
}

TEST(AlignmentKeysTest, NoTwoTuplesShareAKey) {
  EXPECT_NE(AlignmentKey({"ab", "c"}), AlignmentKey({"a", "bc"}));
}

TEST(AlignmentKeysTest, RefusesForeignKeys) {
  EXPECT_THAT(DecodeAlignmentKey(InputKey(kName)), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeCaseKey(AlignmentKey(kName)), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeRunningKey(""), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(AlignmentKeysTest, TheBytesOnDiskStayAsTheyAre) {
  EXPECT_EQ(absl::BytesToHexString(AlignmentKey({"a", "b"})), "0101610001620001");
  EXPECT_EQ(absl::BytesToHexString(CaseKey({"a", "b"}, 1)), "010361000162000100000001");
}

}  // namespace
}  // namespace assay::alignment
