#include "services/judge/core/scorer_answer.h"

#include <functional>
#include <string>

#include "common/json/json_value.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using testing::HasSubstr;

v1::ScoreResponse Good(const std::string& name = "") {
  v1::ScoreResponse response;
  v1::ScorerFeedback& feedback = *response.add_feedbacks();
  feedback.set_assessment_name(name);
  *feedback.mutable_feedback()->mutable_value() = json::JsonFromText("true");
  return response;
}

absl::StatusOr<std::vector<v1::EvaluationResult>> Check(v1::ScoreResponse response) {
  return CheckedScorerAnswer(std::move(response), "polite", {"taken"});
}

TEST(ScorerAnswerTest, FillsInNameSourceAndOutcome) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const auto results, Check(Good()));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].assessment_name(), "polite");
  EXPECT_EQ(results[0].source().kind(), common::v1::SOURCE_KIND_CODE);
  EXPECT_EQ(results[0].source().id(), "polite");
  EXPECT_EQ(results[0].feedback().outcome(), common::v1::OUTCOME_VALUE);
}

TEST(ScorerAnswerTest, KeepsWhatTheScorerSaysOfItsCost) {
  v1::ScoreResponse response = Good();
  response.mutable_feedbacks(0)->mutable_feedback()->mutable_provenance()->set_cost_usd(0.25);
  ASSAY_ASSERT_OK_AND_ASSIGN(const auto results, Check(response));
  EXPECT_EQ(results[0].feedback().provenance().cost_usd(), 0.25);
}

TEST(ScorerAnswerTest, NoFeedbackIsAnAnswer) { EXPECT_THAT(Check({}), IsOk()); }

TEST(ScorerAnswerTest, RefusesWhatBreaksTheContract) {
  const struct {
    const char* what;
    std::function<void(v1::ScorerFeedback*)> change;
  } cases[] = {
      {"neither a value", [](auto* f) { f->mutable_feedback()->clear_value(); }},
      {"both a value and an error",
       [](auto* f) { f->mutable_feedback()->mutable_error()->set_code("BAD"); }},
      {".value",
       [](auto* f) { *f->mutable_feedback()->mutable_value() = json::JsonFromText("{"); }},
      {"contradict",
       [](auto* f) { f->mutable_feedback()->set_outcome(common::v1::OUTCOME_ERROR); }},
      {".outcome is unknown",
       [](auto* f) { f->mutable_feedback()->set_outcome(static_cast<common::v1::Outcome>(77)); }},
      {"UPPER_SNAKE",
       [](auto* f) {
         f->mutable_feedback()->clear_value();
         f->mutable_feedback()->mutable_error()->set_code("not good");
       }},
      {".label", [](auto* f) { f->mutable_feedback()->set_label(std::string(251, 'x')); }},
      {".provenance",
       [](auto* f) {
         f->mutable_feedback()->mutable_provenance()->set_raw_answer(std::string(70'000, 'x'));
       }},
      {".parts",
       [](auto* f) {
         for (int i = 0; i < 201; ++i) f->mutable_feedback()->add_parts();
       }},
      {".rationale",
       [](auto* f) { f->mutable_feedback()->set_rationale(std::string((64 << 10) + 1, 'x')); }},
      {".confidence", [](auto* f) { f->mutable_feedback()->mutable_confidence()->set_value(2); }},
      {".feedback is required", [](auto* f) { f->clear_feedback(); }},
      {".assessment_name", [](auto* f) { f->set_assessment_name(std::string(251, 'x')); }},
      {"belongs to another", [](auto* f) { f->set_assessment_name("taken"); }},
      {"never HUMAN",
       [](auto* f) { f->mutable_source()->set_kind(common::v1::SOURCE_KIND_HUMAN); }},
      {".source.kind", [](auto* f) { f->mutable_source()->set_id("x"); }},
  };
  for (const auto& one : cases) {
    v1::ScoreResponse response = Good();
    one.change(response.mutable_feedbacks(0));
    const auto checked = Check(response);
    EXPECT_THAT(checked, HasReason("SCORER_INVALID_RESPONSE")) << one.what;
    EXPECT_THAT(std::string(checked.status().message()), HasSubstr(one.what));
  }
}

TEST(ScorerAnswerTest, RefusesDuplicateNamesAndTooMany) {
  v1::ScoreResponse response = Good("tone");
  *response.add_feedbacks() = response.feedbacks(0);
  EXPECT_THAT(Check(response), HasReason("SCORER_INVALID_RESPONSE"));
  response.clear_feedbacks();
  for (int i = 0; i < 101; ++i) {
    *response.add_feedbacks() = Good("n" + std::to_string(i)).feedbacks(0);
  }
  EXPECT_THAT(Check(response), HasReason("SCORER_INVALID_RESPONSE"));
  response.mutable_feedbacks()->RemoveLast();
  EXPECT_THAT(Check(response), IsOk());
}

TEST(PredictionTest, NeedsOutputsThatAreJsonAndNotTooLarge) {
  v1::PredictResponse response;
  EXPECT_THAT(CheckedPrediction(response), HasReason("PREDICTOR_INVALID_RESPONSE"));
  *response.mutable_outputs() = json::JsonFromText("{\"a\":");
  EXPECT_THAT(CheckedPrediction(response), HasReason("PREDICTOR_INVALID_RESPONSE"));
  *response.mutable_outputs() = json::JsonFromString(std::string(kMaxPredictionBytes, 'x'));
  EXPECT_THAT(CheckedPrediction(response), HasReason("PREDICTOR_INVALID_RESPONSE"));
  *response.mutable_outputs() = json::JsonFromText("{\"a\":1}");
  EXPECT_THAT(CheckedPrediction(response), IsOkAndHolds("{\"a\":1}"));
}

}  // namespace
}  // namespace assay::judge
