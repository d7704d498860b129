#include "services/judge/core/kinds/scorer_judging.h"

#include <memory>
#include <string>
#include <variant>

#include "common/json/json_value.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::ScorerFeedback* AddFeedback(v1::ScoreResponse* response, const std::string& name,
                                const std::string& value) {
  v1::ScorerFeedback* feedback = response->add_feedbacks();
  feedback->set_assessment_name(name);
  *feedback->mutable_feedback()->mutable_value() = json::JsonFromText(value);
  return feedback;
}

class ScorerJudgingTest : public testing::Test {
 protected:
  ScorerJudgingTest() {
    definition_.mutable_scorer()->set_address("127.0.0.1:7000");
    definition_.mutable_scorer()->set_scorer("policies");
  }

  absl::StatusOr<JudgeVerdict> Judge(absl::StatusOr<v1::ScoreResponse> response) {
    JudgingSetup setup;
    setup.definition = std::make_shared<const registry::v1::JudgeDefinition>(definition_);
    Subject subject;
    subject.inputs = R"({"q":1})";
    subject.outputs = "2";
    subject.trace_name = "experiments/e/traces/t";
    setup.subject = std::make_shared<const Subject>(std::move(subject));
    setup.assessment_name = "follows";
    setup.judge_revision = "experiments/e/judges/follows/revisions/1";
    setup.experiment = "experiments/e";
    auto machine = MakeScorerJudging(setup);
    EXPECT_THAT(machine, IsOk());
    JudgeStep step = (*machine)->Next(JudgeStarted{absl::UnixEpoch()});
    asked_ = std::get<CallScorer>(step);
    step = (*machine)->Next(
        ScorerAnswered{std::move(response), absl::UnixEpoch() + absl::Milliseconds(70)});
    return std::get<JudgeFinished>(std::move(step)).verdict;
  }

  registry::v1::JudgeDefinition definition_;
  CallScorer asked_;
};

TEST_F(ScorerJudgingTest, AsksWithWhatTheJudgeSays) {
  definition_.mutable_scorer()->set_timeout_seconds(2.5);
  definition_.mutable_scorer()->set_tls(true);
  ASSERT_THAT(Judge(v1::ScoreResponse()), IsOk());
  EXPECT_EQ(asked_.scorer.address(), "127.0.0.1:7000");
  EXPECT_TRUE(asked_.scorer.tls());
  EXPECT_EQ(asked_.scorer.max_concurrency(), 32);
  EXPECT_EQ(proto::FromDuration(asked_.scorer.timeout()), absl::Milliseconds(2'500));
  EXPECT_EQ(asked_.request.scorer(), "policies");
  EXPECT_EQ(asked_.request.parent(), "experiments/e");
  EXPECT_EQ(asked_.request.inputs().json_text(), R"({"q":1})");
  EXPECT_EQ(asked_.request.trace(), "experiments/e/traces/t");
}

TEST_F(ScorerJudgingTest, TheFirstFeedbackIsTheVerdictTheOthersStandBelowItsName) {
  v1::ScoreResponse response;
  AddFeedback(&response, "", "true");
  AddFeedback(&response, "tone", "\"kind\"");
  AddFeedback(&response, "follows/cited", "3");
  const absl::StatusOr<JudgeVerdict> verdict = Judge(response);
  ASSERT_THAT(verdict, IsOk());
  EXPECT_EQ(verdict->feedback.value().json_text(), "true");
  EXPECT_EQ(verdict->feedback.outcome(), common::v1::OUTCOME_VALUE);
  EXPECT_EQ(verdict->source.kind(), common::v1::SOURCE_KIND_CODE);
  EXPECT_EQ(verdict->source.id(), "policies");
  EXPECT_EQ(verdict->feedback.provenance().latency_ms(), 70);
  EXPECT_THAT(verdict->metadata, IsEmpty());
  ASSERT_THAT(verdict->additional, SizeIs(2));
  EXPECT_EQ(verdict->additional[0].assessment_name, "follows/tone");
  EXPECT_EQ(verdict->additional[1].assessment_name, "follows/cited");
}

TEST_F(ScorerJudgingTest, SaysWhatTheScorerCalledItsVerdict) {
  v1::ScoreResponse response;
  AddFeedback(&response, "grade", "1");
  EXPECT_EQ(Judge(response)->metadata.at("scorer_feedback"), "grade");
}

TEST_F(ScorerJudgingTest, NothingToSayIsAnAbstention) {
  EXPECT_EQ(Judge(v1::ScoreResponse())->feedback.outcome(), common::v1::OUTCOME_ABSTAINED);
}

TEST_F(ScorerJudgingTest, LiesAboutTypesAreErrors) {
  definition_.mutable_value_type()->mutable_bool_type();
  v1::ScoreResponse response;
  AddFeedback(&response, "", "\"yes\"");
  const absl::StatusOr<JudgeVerdict> verdict = Judge(response);
  ASSERT_THAT(verdict, IsOk());
  EXPECT_EQ(verdict->feedback.error().code(), "SCORER_INVALID_RESPONSE");
  EXPECT_THAT(verdict->feedback.error().message(), HasSubstr("\"yes\""));
}

TEST_F(ScorerJudgingTest, AnswersOutsideOfTheContractAreErrors) {
  v1::ScoreResponse broken;
  AddFeedback(&broken, "", "{not json");
  EXPECT_EQ(Judge(broken)->feedback.error().code(), "SCORER_INVALID_RESPONSE");
  v1::ScoreResponse human;
  AddFeedback(&human, "", "1")->mutable_source()->set_kind(common::v1::SOURCE_KIND_HUMAN);
  EXPECT_EQ(Judge(human)->feedback.error().code(), "SCORER_INVALID_RESPONSE");
  v1::ScoreResponse long_name;
  AddFeedback(&long_name, "", "1");
  AddFeedback(&long_name, std::string(249, 'x'), "1");
  EXPECT_EQ(Judge(long_name)->feedback.error().code(), "SCORER_INVALID_RESPONSE");
}

TEST_F(ScorerJudgingTest, WhatAScorerDoesWrongIsTheVerdict) {
  for (const char* reason : {"SCORER_TIMEOUT", "SCORER_UNREACHABLE", "SCORER_FAILED"}) {
    const absl::StatusOr<JudgeVerdict> verdict =
        Judge(MakeError(absl::StatusCode::kUnavailable, reason, "gone"));
    ASSERT_THAT(verdict, IsOk());
    EXPECT_EQ(verdict->feedback.error().code(), reason);
    EXPECT_EQ(verdict->feedback.outcome(), common::v1::OUTCOME_ERROR);
  }
}

TEST_F(ScorerJudgingTest, WhatTheCallerDoesWrongIsAnError) {
  EXPECT_THAT(Judge(InvalidField("address", "no", "REMOTE_ADDRESS_REFUSED")),
              HasReason("REMOTE_ADDRESS_REFUSED"));
  EXPECT_THAT(Judge(absl::CancelledError("")), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace assay::judge
