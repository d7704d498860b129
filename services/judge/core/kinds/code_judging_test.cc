#include "services/judge/core/kinds/code_judging.h"

#include <cmath>
#include <memory>
#include <string>

#include "common/judging/judge_definition.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/core/kinds/labelled_cases.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<JudgeVerdict> RunCodeJudge(const registry::v1::CodeJudge& judge, Subject subject,
                                          std::string revision = "") {
  auto definition = std::make_shared<registry::v1::JudgeDefinition>();
  *definition->mutable_code() = judge;
  if (absl::Status valid = judging::ValidateJudgeDefinition(*definition); !valid.ok()) return valid;
  JudgingSetup setup;
  setup.definition = definition;
  setup.subject = std::make_shared<const Subject>(std::move(subject));
  setup.judge_revision = std::move(revision);
  absl::StatusOr<std::unique_ptr<Judging>> judging = MakeCodeJudging(setup);
  if (!judging.ok()) return judging.status();
  int asked = 0;
  return DriveGiven(**judging, &asked);
}

class LabelledChecks : public testing::TestWithParam<const char*> {};

TEST_P(LabelledChecks, GiveTheLabelledValues) {
  for (const json::Node& row : LabelledCases(GetParam())) {
    SCOPED_TRACE(TextOf(row, "name"));
    auto judge = MessageOf<registry::v1::CodeJudge>(*row.Find("judge"));
    judge.set_actual("outputs.answer");
    Subject subject;
    subject.outputs = StrCat(R"({"answer":)", JsonOf(row, "actual"), "}");
    if (row.Find("expected") != nullptr) {
      subject.expectations = StrCat(R"({"expected_response":)", JsonOf(row, "expected"), "}");
    }
    const absl::StatusOr<JudgeVerdict> verdict = RunCodeJudge(judge, subject);
    if (row.Find("error") != nullptr) {
      EXPECT_THAT(verdict, HasReason(TextOf(row, "error")));
      continue;
    }
    ASSERT_OK(verdict);
    const std::string value = verdict->feedback.value().json_text();
    const absl::StatusOr<json::Node> given = json::ParseJson(value);
    ASSERT_OK(given);
    if (const json::Node* least = row.Find("least")) {
      EXPECT_GE(*given->AsDouble(), *least->AsDouble());
      EXPECT_LE(*given->AsDouble(), *row.Find("most")->AsDouble());
    } else if (row.Find("value")->is_number()) {
      EXPECT_NEAR(*given->AsDouble(), *row.Find("value")->AsDouble(), 1e-9);
    } else {
      EXPECT_EQ(value, JsonOf(row, "value"));
    }
    EXPECT_THAT(verdict->feedback.rationale(), HasSubstr(TextOf(row, "why")));
    EXPECT_FALSE(verdict->feedback.rationale().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(All, LabelledChecks,
                         testing::Values("exact", "contains", "regex", "json_schema", "numeric",
                                         "edit_distance", "embedding_similarity"));

TEST(CodeJudgingTest, IsOfKindCodeAndNamesNoModel) {
  registry::v1::CodeJudge judge;
  judge.mutable_exact();
  Subject subject;
  subject.outputs = R"({"choices":[{"message":{"role":"assistant","content":"Paris"}}]})";
  subject.expectations = R"({"expected_response":"Paris"})";
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, RunCodeJudge(judge, subject, "judges/j"));
  EXPECT_EQ(verdict.feedback.value().json_text(), "true") << "reads the response";
  EXPECT_EQ(verdict.feedback.outcome(), common::v1::OUTCOME_VALUE);
  EXPECT_EQ(verdict.source.kind(), common::v1::SOURCE_KIND_CODE);
  EXPECT_EQ(verdict.source.id(), "exact");
  EXPECT_EQ(verdict.feedback.provenance().model(), "");
  EXPECT_EQ(verdict.feedback.provenance().judge_revision(), "judges/j");
}

TEST(CodeJudgingTest, ReadsPathsOfItsOwn) {
  registry::v1::CodeJudge judge;
  judge.mutable_numeric();
  judge.set_actual("outputs.items[0].price");
  judge.set_expected("inputs.limit");
  Subject subject;
  subject.outputs = R"({"items":[{"price":7}]})";
  subject.inputs = R"({"limit":"7.0"})";
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, RunCodeJudge(judge, subject));
  EXPECT_EQ(verdict.feedback.value().json_text(), "true");
}

TEST(CodeJudgingTest, RefusesWhatIsMissing) {
  registry::v1::CodeJudge judge;
  judge.mutable_exact();
  EXPECT_THAT(RunCodeJudge(judge, {}), HasReason("MISSING_JUDGE_INPUT"));
  Subject subject;
  subject.outputs = "\"x\"";
  EXPECT_THAT(RunCodeJudge(judge, subject), HasReason("MISSING_JUDGE_INPUT"));
  subject.expectations = R"({"expected_response":null})";
  EXPECT_THAT(RunCodeJudge(judge, subject), HasReason("MISSING_JUDGE_INPUT"));
  judge.set_actual("outputs.message");
  subject.expectations = R"({"expected_response":"x"})";
  EXPECT_THAT(RunCodeJudge(judge, subject), HasReason("MISSING_JUDGE_INPUT"));
}

TEST(CodeJudgingTest, RefusesTextsTooLongToCountEdits) {
  registry::v1::CodeJudge judge;
  judge.mutable_edit_distance();
  Subject subject;
  subject.outputs = StrCat("\"", std::string(50'000, 'a'), "\"");
  subject.expectations = R"({"expected_response":"b"})";
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, RunCodeJudge(judge, subject));
  EXPECT_EQ(verdict.feedback.value().json_text(), "0");
  subject.outputs = StrCat("\"", std::string(50'001, 'a'), "\"");
  EXPECT_THAT(RunCodeJudge(judge, subject), HasReason("INVALID_JUDGE_INPUT"));
}

}  // namespace
}  // namespace assay::judge
