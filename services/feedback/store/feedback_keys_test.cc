#include "services/feedback/store/feedback_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "common/status/status_matchers.h"

namespace assay::feedback {
namespace {

TEST(FeedbackKeysTest, DecodersReadWhatEncodersWrote) {
  EXPECT_EQ(DecodeAssessmentKey(AssessmentKey({"e", "a-1"}))->ToString(),
            "experiments/e/assessments/a-1");
  const OrderPlace order = *DecodeOrderKey(OrderKey({"e", 7}));
  EXPECT_EQ(order.experiment, "e");
  EXPECT_EQ(order.sequence, 7);
  const TracePlace trace = *DecodeTraceKey(TraceKey({"e", "t", 7}));
  EXPECT_EQ(trace.trace, "t");
  EXPECT_EQ(trace.sequence, 7);
  const LabelPlace label = *DecodeLabelKey(LabelKey({"e", std::string("n\0m", 3), 2, "t", 7}));
  EXPECT_EQ(label.assessment_name, std::string("n\0m", 3));
  EXPECT_EQ(label.source_kind, 2);
  EXPECT_EQ(label.trace, "t");
  EXPECT_EQ(label.sequence, 7);
  const RevisionPlace revision = *DecodeRevisionKey(RevisionKey({{"e", "a"}, 3}));
  EXPECT_EQ(revision.name.assessment, "a");
  EXPECT_EQ(revision.revision, 3);
  EXPECT_THAT(DecodeOutboxKey(OutboxKey(9)), IsOkAndHolds(9));
}

TEST(FeedbackKeysTest, NumbersSortAsNumbers) {
  EXPECT_LT(OrderKey({"e", 255}), OrderKey({"e", 256}));
  EXPECT_LT(OutboxKey(9), OutboxKey(10));
  EXPECT_LT(RevisionKey({{"e", "a"}, 2}), RevisionKey({{"e", "a"}, 10}));
  EXPECT_LT(LabelKey({"e", "n", 1, "a", 9}), LabelKey({"e", "n", 1, "b", 1}));
}

TEST(FeedbackKeysTest, NoTwoTuplesShareAKey) {
  EXPECT_NE(AssessmentKey({"ab", "c"}), AssessmentKey({"a", "bc"}));
  EXPECT_NE(TraceKey({"ab", "c", 1}), TraceKey({"a", "bc", 1}));
  EXPECT_NE(OrderKey({"e", 1}), OutboxKey(1));
}

TEST(FeedbackKeysTest, PrefixesHoldTheirKeysOnly) {
  const std::string label = LabelKey({"e", "name", 1, "t", 1});
  EXPECT_TRUE(label.starts_with(LabelKeyPrefix("e", "name", 1)));
  EXPECT_TRUE(label.starts_with(LabelKeyPrefix("e", "name", 1, "t")));
  EXPECT_FALSE(label.starts_with(LabelKeyPrefix("e", "nam", 1)));
  EXPECT_FALSE(label.starts_with(LabelKeyPrefix("e", "name", 2)));
  EXPECT_FALSE(OrderKey({"ab", 1}).starts_with(OrderKeyPrefix("a")));
}

TEST(FeedbackKeysTest, RefusesForeignKeys) {
  EXPECT_THAT(DecodeAssessmentKey(OutboxKey(1)), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeOutboxKey(""), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeOutboxKey(OutboxKey(1) + "x"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeLabelKey(TraceKey({"e", "t", 1})), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeTraceKey(OrderKey({"e", 1})), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeRevisionKey(AssessmentKey({"e", "a"})), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeOrderKey(AssessmentKey({"e", "a"})), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(FeedbackKeysTest, TheBytesOnDiskStayAsTheyAre) {
  const auto hex = [](const std::string& key) { return absl::BytesToHexString(key); };
  EXPECT_EQ(hex(AssessmentKey({"a", "b"})),
            "010161000162"
            "0001");
  EXPECT_EQ(hex(OrderKey({"a", 1})),
            "0102610001"
            "8000000000000001");
  EXPECT_EQ(hex(TraceKey({"a", "t", 1})),
            "0103610001"
            "740001"
            "8000000000000001");
  EXPECT_EQ(hex(LabelKey({"a", "n", 2, "t", 1})),
            "0104610001"
            "6e0001"
            "02"
            "740001"
            "8000000000000001");
  EXPECT_EQ(hex(RevisionKey({{"a", "b"}, 1})),
            "0105610001"
            "620001"
            "8000000000000001");
  EXPECT_EQ(hex(OutboxKey(1)),
            "0106"
            "8000000000000001");
  EXPECT_EQ(hex(StoreKey()), "0107");
  EXPECT_EQ(hex(PositionKey()), "0108");
}

}  // namespace
}  // namespace assay::feedback
