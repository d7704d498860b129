#include "services/feedback/core/assessment_validation.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "common/status/status_matchers.h"
#include "services/feedback/testing/example_assessments.h"

namespace assay::feedback {
namespace {

using common::v1::Feedback;

absl::StatusOr<v1::Assessment> Kept(const v1::Assessment& assessment) {
  return KeptAssessment({"support"}, assessment, "assessment");
}

v1::Assessment Human() { return ExampleFeedback(1, common::v1::SOURCE_KIND_HUMAN); }

// What becomes of a right feedback after `spoil`.
absl::StatusOr<v1::Assessment> Spoilt(const std::function<void(v1::Assessment&)>& spoil) {
  v1::Assessment assessment = Human();
  spoil(assessment);
  return Kept(assessment);
}

absl::StatusOr<Feedback> KeptBy(const std::function<void(Feedback&)>& fill) {
  Feedback feedback;
  fill(feedback);
  return KeptFeedback(feedback, common::v1::SOURCE_KIND_LLM_JUDGE, "feedback");
}

TEST(AssessmentValidationTest, FillsInTheDefaults) {
  const v1::Assessment kept = *Kept(Human());
  EXPECT_EQ(kept.source().id(), "default");
  EXPECT_EQ(kept.feedback().outcome(), common::v1::OUTCOME_VALUE);
}

TEST(AssessmentValidationTest, KeepsValuesAsJsonText) {
  v1::Assessment assessment = Human();
  assessment.mutable_feedback()->mutable_value()->mutable_value()->set_string_value("good");
  EXPECT_EQ(Kept(assessment)->feedback().value().json_text(), "\"good\"");
  assessment.mutable_feedback()->mutable_value()->set_json_text("{\"b\": 1.0, \"a\": 2}");
  EXPECT_EQ(Kept(assessment)->feedback().value().json_text(), "{\"b\": 1.0, \"a\": 2}");
}

TEST(AssessmentValidationTest, NamesEachFieldThatIsMissing) {
  const absl::StatusOr<v1::Assessment> kept = Kept(v1::Assessment());
  EXPECT_THAT(kept, HasFieldViolation("assessment.assessment_name"));
  EXPECT_THAT(kept, HasFieldViolation("assessment.target.trace"));
  EXPECT_THAT(kept, HasFieldViolation("assessment.source.kind"));
  EXPECT_THAT(kept, HasFieldViolation("assessment"));
}

TEST(AssessmentValidationTest, RefusesWhatIsOutOfBounds) {
  EXPECT_THAT(Spoilt([](v1::Assessment& a) { a.set_assessment_name(std::string(251, 'x')); }),
              HasFieldViolation("assessment.assessment_name"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) { a.mutable_source()->set_id(std::string(251, 'x')); }),
              HasFieldViolation("assessment.source.id"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) {
                a.mutable_source()->set_kind(static_cast<common::v1::SourceKind>(9));
              }),
              HasFieldViolation("assessment.source.kind"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) {
                a.mutable_feedback()->set_rationale(std::string(kMaxRationaleBytes + 1, 'x'));
              }),
              HasFieldViolation("assessment.feedback.rationale"));
  EXPECT_THAT(
      Spoilt([](v1::Assessment& a) { a.mutable_feedback()->set_label(std::string(251, 'x')); }),
      HasFieldViolation("assessment.feedback.label"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) {
                a.mutable_feedback()->set_score(std::numeric_limits<double>::infinity());
              }),
              HasFieldViolation("assessment.feedback.score"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) {
                a.mutable_feedback()->mutable_value()->set_json_text(
                    "\"" + std::string(kMaxValueBytes, 'x') + "\"");
              }),
              HasFieldViolation("assessment.feedback.value"));
}

TEST(AssessmentValidationTest, RefusesMetadataOutOfBounds) {
  EXPECT_THAT(
      Spoilt([](v1::Assessment& a) { (*a.mutable_metadata())["key"] = std::string(4097, 'x'); }),
      HasFieldViolation("assessment.metadata[key]"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) { (*a.mutable_metadata())[""] = "x"; }),
              HasFieldViolation("assessment.metadata[]"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) {
                for (int i = 0; i < 101; ++i) (*a.mutable_metadata())[std::to_string(i)] = "x";
              }),
              HasFieldViolation("assessment.metadata"));
}

TEST(AssessmentValidationTest, TheTargetLiesInTheExperiment) {
  EXPECT_THAT(Spoilt([](v1::Assessment& a) {
                a.mutable_target()->set_trace("experiments/other/traces/" + TraceId(1));
              }),
              HasFieldViolation("assessment.target.trace"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) { a.mutable_target()->set_trace("traces/1"); }),
              HasReason("INVALID_NAME"));
  EXPECT_THAT(Spoilt([](v1::Assessment& a) { a.mutable_target()->set_span_id("xyz"); }),
              HasFieldViolation("assessment.target.span_id"));
  EXPECT_THAT(
      Spoilt([](v1::Assessment& a) { a.set_evaluation("experiments/other/evaluations/e"); }),
      HasFieldViolation("assessment.evaluation"));
}

TEST(AssessmentValidationTest, ABrokenValueSaysThatItIsNoJson) {
  const absl::StatusOr<v1::Assessment> kept = Spoilt(
      [](v1::Assessment& a) { a.mutable_feedback()->mutable_value()->set_json_text("{oops"); });
  EXPECT_THAT(kept, HasReason("INVALID_JSON"));
  EXPECT_THAT(kept, HasFieldViolation("assessment.feedback.value"));
}

TEST(AssessmentValidationTest, TheOutcomeFollowsFromValueAndError) {
  EXPECT_EQ(KeptBy([](Feedback& f) { f.mutable_value()->set_json_text("null"); })->outcome(),
            common::v1::OUTCOME_VALUE);
  EXPECT_EQ(
      KeptBy([](Feedback& f) { f.mutable_error()->set_code("MODEL_UNREACHABLE"); })->outcome(),
      common::v1::OUTCOME_ERROR);
  const Feedback null_beside_error = *KeptBy([](Feedback& f) {
    f.mutable_value()->set_json_text(" null ");
    f.mutable_error()->set_code("MODEL_UNREACHABLE");
  });
  EXPECT_FALSE(null_beside_error.has_value());
  EXPECT_THAT(KeptBy([](Feedback& f) { f.set_outcome(common::v1::OUTCOME_ABSTAINED); }), IsOk());
}

TEST(AssessmentValidationTest, ValueErrorAndOutcomeMustAgree) {
  EXPECT_THAT(KeptBy([](Feedback&) {}), HasFieldViolation("feedback.value"));
  EXPECT_THAT(KeptBy([](Feedback& f) {
                f.mutable_value()->set_json_text("1");
                f.mutable_error()->set_code("X");
              }),
              HasFieldViolation("feedback.error"));
  EXPECT_THAT(KeptBy([](Feedback& f) { f.set_outcome(common::v1::OUTCOME_VALUE); }),
              HasFieldViolation("feedback.value"));
  EXPECT_THAT(KeptBy([](Feedback& f) {
                f.mutable_value()->set_json_text("1");
                f.set_outcome(common::v1::OUTCOME_ERROR);
              }),
              HasFieldViolation("feedback.error"));
  EXPECT_THAT(KeptBy([](Feedback& f) {
                f.mutable_value()->set_json_text("1");
                f.set_outcome(common::v1::OUTCOME_SKIPPED);
              }),
              HasFieldViolation("feedback.value"));
}

TEST(AssessmentValidationTest, ErrorsHaveACodeAndAreCut) {
  EXPECT_THAT(KeptBy([](Feedback& f) { f.mutable_error()->set_message("oops"); }),
              HasFieldViolation("feedback.error.code"));
  EXPECT_THAT(KeptBy([](Feedback& f) { f.mutable_error()->set_code("not upper"); }),
              HasFieldViolation("feedback.error.code"));
  const Feedback cut = *KeptBy([](Feedback& f) {
    f.mutable_error()->set_code("X");
    f.mutable_error()->set_message(std::string(5000, 'x'));
  });
  EXPECT_EQ(cut.error().message().size(), kMaxErrorMessageChars);
}

TEST(AssessmentValidationTest, AConfidenceIsAShareAndSaysHowItWasMeasured) {
  EXPECT_THAT(KeptBy([](Feedback& f) {
                f.mutable_value()->set_json_text("1");
                f.mutable_confidence()->set_value(1.5);
              }),
              HasFieldViolation("feedback.confidence.value"));
  EXPECT_THAT(KeptBy([](Feedback& f) {
                f.mutable_value()->set_json_text("1");
                f.mutable_confidence()->set_value(0.5);
              }),
              HasFieldViolation("feedback.confidence.method"));
}

TEST(AssessmentValidationTest, JudgesAndCodeHaveAProvenanceAndPeopleHaveNone) {
  v1::Assessment assessment = Human();
  assessment.mutable_feedback()->mutable_provenance()->set_model("openai:/gpt");
  assessment.mutable_feedback()->mutable_provenance()->set_latency_ms(12);
  EXPECT_FALSE(Kept(assessment)->feedback().has_provenance());
  for (const common::v1::SourceKind kind :
       {common::v1::SOURCE_KIND_LLM_JUDGE, common::v1::SOURCE_KIND_CODE}) {
    assessment.mutable_source()->set_kind(kind);
    EXPECT_EQ(Kept(assessment)->feedback().provenance().model(), "openai:/gpt");
    EXPECT_EQ(Kept(assessment)->feedback().provenance().latency_ms(), 12);
  }
}

TEST(AssessmentValidationTest, AProvenanceIsBoundedWhoeverTheSource) {
  v1::Assessment assessment = Human();
  assessment.mutable_source()->set_kind(common::v1::SOURCE_KIND_CODE);
  assessment.mutable_feedback()->mutable_provenance()->set_raw_answer(
      std::string(kMaxProvenanceBytes + 1, 'x'));
  EXPECT_THAT(Kept(assessment), HasFieldViolation("assessment.feedback.provenance"));
}

TEST(AssessmentValidationTest, AnExpectationHasAValueThatIsNotNull) {
  EXPECT_THAT(Kept(ExampleExpectation(1)), IsOk());
  EXPECT_THAT(Kept(ExampleExpectation(1, "null")),
              HasFieldViolation("assessment.expectation.value"));
  v1::Assessment empty = ExampleExpectation(1);
  empty.mutable_expectation()->clear_value();
  EXPECT_THAT(Kept(empty), HasFieldViolation("assessment.expectation.value"));
}

TEST(AssessmentValidationTest, IgnoresWhatOnlyTheServiceMaySay) {
  v1::Assessment assessment = Human();
  assessment.set_overrides("experiments/support/assessments/a");
  assessment.set_create_principal("mallory");
  assessment.set_etag("\"x\"");
  const v1::Assessment kept = *Kept(assessment);
  EXPECT_EQ(kept.overrides(), "");
  EXPECT_EQ(kept.create_principal(), "");
  EXPECT_EQ(kept.etag(), "");
}

}  // namespace
}  // namespace assay::feedback
