// Deleting a trace takes the traces of its judgements along.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/testing/lifecycle_fixture.h"

namespace assay::trace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceStoreConformance);

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class JudgementDeletionTest : public LifecycleFixture {};

TEST_F(JudgementDeletionTest, DeletesTheJudgementsOfATrace_AndTheirs) {
  for (const int number : {1, 2}) ASSERT_OK(Append(number));
  ASSERT_OK(AppendJudgement(11, Name(1)));
  ASSERT_OK(AppendJudgement(12, Name(1)));
  ASSERT_OK(AppendJudgement(13, Name(2)));
  ASSERT_OK(AppendJudgement(21, Name(11)));
  ASSERT_OK(AppendJudgement(31, Name(21)));
  EXPECT_THAT(Delete({Trace(1)}, Key("r")), IsOkAndHolds("1+4"));
  for (const int gone : {1, 11, 12, 21, 31}) EXPECT_FALSE(Exists(gone)) << gone;
  for (const int there : {2, 13}) EXPECT_TRUE(Exists(there)) << there;
  std::vector<TraceId> told;
  for (const auto& event : Feed()) told.push_back(*TraceId::FromBytes(event.trace_deleted()));
  EXPECT_THAT(told, UnorderedElementsAre(Trace(1), Trace(11), Trace(12), Trace(21), Trace(31)));
  EXPECT_EQ(told.back(), Trace(1)) << "after its judgements";
  EXPECT_THAT(Delete({Trace(1)}, Key("r")), IsOkAndHolds("1+4"));
  EXPECT_THAT(Delete({Trace(2), Trace(13)}), IsOkAndHolds("2")) << "both were asked for";
  EXPECT_THAT(Keys(keys::kIndex), IsEmpty());
}

TEST_F(JudgementDeletionTest, DeletesManyJudgementsInSeveralSteps) {
  ASSERT_OK(Append(1));
  for (int i = 2; i <= 350; ++i) ASSERT_OK(AppendJudgement(i, Name(1)));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("1+349"));
  EXPECT_THAT(Keys(keys::kIndex), IsEmpty());
}

TEST_F(JudgementDeletionTest, DeletesALongChainAndARingOfJudgements) {
  ASSERT_OK(Append(1));
  for (int i = 2; i <= 100; ++i) ASSERT_OK(AppendJudgement(i, Name(i - 1)));
  EXPECT_THAT(Delete({Trace(1)}), StatusIs(absl::StatusCode::kOk));
  for (int i = 1; i <= 100; ++i) EXPECT_FALSE(Exists(i)) << i;
  ASSERT_OK(AppendJudgement(201, Name(203)));
  ASSERT_OK(AppendJudgement(202, Name(201)));
  ASSERT_OK(AppendJudgement(203, Name(202)));
  EXPECT_THAT(Delete({Trace(202)}), IsOkAndHolds("1+2"));
  EXPECT_THAT(Keys(keys::kIndex), IsEmpty());
}

TEST_F(JudgementDeletionTest, DeletesTheJudgementsOfATracesSession) {
  TraceChunk chunk = TestChunk(1, "e", 100);
  chunk.trace = Trace(1);
  chunk.facts.set_session("s/1");
  ASSERT_OK(AppendTo(traces_, std::move(chunk)));
  ASSERT_OK(AppendJudgement(11, "experiments/e/sessions/s%2F1"));
  ASSERT_OK(AppendJudgement(12, "experiments/e/sessions/s2"));
  EXPECT_THAT(Delete({Trace(1)}, {}, "other"), IsOkAndHolds("0")) << "not a trace of it";
  EXPECT_TRUE(Exists(11));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("1+1"));
  EXPECT_FALSE(Exists(11));
  EXPECT_TRUE(Exists(12));
}

TEST_F(JudgementDeletionTest, KeepsWhatOnlySoundsLikeAJudgement) {
  ASSERT_OK(Append(1));
  TraceChunk chunk = Judgement(11, Name(1));
  chunk.facts.mutable_metadata()->erase("assay_judge_call");
  ASSERT_OK(AppendTo(traces_, std::move(chunk)));
  ASSERT_OK(AppendJudgement(12, Name(1), "other"));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("1"));
  EXPECT_TRUE(Exists(11));
  EXPECT_TRUE(Exists(12)) << "of another experiment";
}

TEST_F(JudgementDeletionTest, RefusesAJudgementThatComesAfterItsTraceIsDeleted) {
  ASSERT_OK(Append(1));
  ASSERT_OK(Delete({Trace(1)}));
  const absl::StatusOr<AppendResult> late = AppendJudgement(11, Name(1));
  ASSERT_OK(late);
  EXPECT_THAT(late->refused, ElementsAre(Pair(kRefusedJudgement, 1)));
  EXPECT_FALSE(Exists(11));
  // Of a trace that was never there nothing is known.
  ASSERT_OK(AppendJudgement(12, Name(2)));
  EXPECT_TRUE(Exists(12));
}

TEST_F(JudgementDeletionTest, AJudgementThatComesWhileItsTraceIsDeletedGoesToo) {
  ASSERT_OK(Append(1));
  // Prepared in turns, committed in turns: the executor runs what each of them left to do.
  std::optional<absl::StatusOr<std::string>> deleted;
  std::optional<absl::StatusOr<AppendResult>> appended;
  for (int first = 0; first < 2; ++first) {
    if (first == 0) {
      lives_.DeleteTraces(
          "e", {Trace(1)}, {}, [](const DeletedTraces&) { return ""; },
          [&](absl::StatusOr<std::string> given) { deleted = std::move(given); });
    }
    std::vector<TraceChunk> chunks;
    chunks.push_back(Judgement(11 + first, Name(1)));
    traces_.AppendSpans(std::move(chunks), false,
                        [&](absl::StatusOr<AppendResult> given) { appended = std::move(given); });
  }
  executor_.RunAll();
  ASSERT_TRUE(deleted.has_value() && appended.has_value());
  EXPECT_OK(*deleted);
  for (const int gone : {1, 11, 12}) EXPECT_FALSE(Exists(gone)) << gone;
}

}  // namespace
}  // namespace assay::trace
