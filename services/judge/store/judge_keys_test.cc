#include "services/judge/store/judge_keys.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "common/kv/keys.h"
#include "common/status/status_matchers.h"

namespace assay::judge {
namespace {

TEST(JudgeKeysTest, DecodersReadWhatEncodersWrote) {
  const RequestKey answer = *DecodeAnswerKey(AnswerKey({"alice", "Judge", "r1", "ignored"}));
  EXPECT_EQ(answer.principal, "alice");
  EXPECT_EQ(answer.method, "Judge");
  EXPECT_EQ(answer.request_id, "r1");
  EXPECT_EQ(DecodeEvaluationKey(EvaluationKey({"e", "v"}))->ToString(),
            "experiments/e/evaluations/v");
  EXPECT_EQ(DecodeRowKey(RowKey("u", 7))->index, 7);
  EXPECT_EQ(DecodeResultKey(ResultKey("u", 7))->uid, "u");
  EXPECT_THAT(DecodeTallyKey(TallyKey("u")), IsOkAndHolds("u"));
  EXPECT_THAT(DecodeRunningKey(RunningKey("u")), IsOkAndHolds("u"));
  const std::string question(32, 'q');
  EXPECT_EQ(DecodeCacheHourKey(CacheHourKey(9, question))->hour, 9);
  EXPECT_EQ(DecodeCacheHourKey(CacheHourKey(9, question))->question, question);
  const UsageFieldPosition usage = *DecodeUsageFieldKey(UsageFieldKey({"e", 3, "j", "m:/x", 5}));
  EXPECT_EQ(usage.experiment + usage.judge + usage.model, "ejm:/x");
  EXPECT_EQ(usage.day, 3);
  EXPECT_EQ(usage.field, 5);
}

TEST(JudgeKeysTest, UsageIsInOrderOfDays) {
  EXPECT_LT(UsageFieldKey({"e", 9, "z", "z", 5}), UsageFieldKey({"e", 10, "a", "a", 0}));
  EXPECT_TRUE(UsageFieldKey({"e", 9, "z", "z", 5}).starts_with(UsageKeyPrefix("e", 9)));
  EXPECT_TRUE(UsageKeyPrefix("e", 9).starts_with(UsageKeyPrefix("e")));
}

TEST(JudgeKeysTest, RowsAreInOrder) {
  EXPECT_LT(RowKey("u", 9), RowKey("u", 10));
  EXPECT_LT(RowKey("u", 255), RowKey("u", 256));
  EXPECT_LT(RowKey("u", 1'000'000), kv::PrefixEnd(RowKeyPrefix("u")));
  EXPECT_GT(RowKey("ua", 0), kv::PrefixEnd(RowKeyPrefix("u")));
}

TEST(JudgeKeysTest, NoTwoTuplesShareAKey) {
  EXPECT_NE(EvaluationKey({"ab", "c"}), EvaluationKey({"a", "bc"}));
  EXPECT_NE(AnswerKey({"ab", "c", "d", ""}), AnswerKey({"a", "bc", "d", ""}));
}

TEST(JudgeKeysTest, RefusesForeignKeys) {
  EXPECT_THAT(DecodeRowKey(ResultKey("u", 1)), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeEvaluationKey(""), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeTallyKey(RunningKey("u")), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeAnswerKey(TallyKey("u")), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(JudgeKeysTest, TheBytesOnDiskStayAsTheyAre) {
  EXPECT_EQ(absl::BytesToHexString(EvaluationKey({"a", "b"})), "0102610001620001");
  EXPECT_EQ(absl::BytesToHexString(RowKey("u", 1)), "01037500018000000000000001");
  EXPECT_EQ(absl::BytesToHexString(ResultKey("u", 1)), "01047500018000000000000001");
  EXPECT_EQ(absl::BytesToHexString(TallyKey("u")), "0105750001");
  EXPECT_EQ(absl::BytesToHexString(RunningKey("u")), "0106750001");
  EXPECT_EQ(absl::BytesToHexString(CachedKey("q")), "010771");
  EXPECT_EQ(absl::BytesToHexString(CacheHourKey(1, "q")), "0108800000000000000171");
  EXPECT_EQ(absl::BytesToHexString(UsageFieldKey({"e", 1, "j", "m", 5})),
            "01096500018000000000000001"
            "6a00016d000105");
  EXPECT_EQ(absl::BytesToHexString(BudgetKey("e", "b")), "010a650001620001");
  EXPECT_EQ(absl::BytesToHexString(BudgetStateKey("e", "b")), "010b650001620001");
  EXPECT_EQ(absl::BytesToHexString(AnswerKey({"p", "m", "r", "x"})), "01017000016d0001720001");
}

}  // namespace
}  // namespace assay::judge
