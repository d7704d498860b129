#include "services/judge/core/evaluation/evaluation_spec.h"

#include <string>

#include "common/json/json_value.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using testing::IsEmpty;

absl::Status AnyAddress(std::string_view) { return absl::OkStatus(); }
absl::Status NoAddress(std::string_view) { return InvalidField("address", "loopback only"); }

v1::EvaluationSpec Spec() {
  v1::EvaluationSpec spec;
  spec.add_judges()->set_registered("experiments/e/judges/tone@production");
  return spec;
}

void AddScorer(v1::EvaluationSpec* spec, const std::string& name) {
  v1::Scorer& scorer = *spec->add_scorers();
  scorer.set_scorer(name);
  scorer.set_address("127.0.0.1:9");
}

std::string FirstField(const absl::Status& status) {
  const auto violations = FieldViolations(status);
  return violations.empty() ? "" : violations.front().field;
}
std::string SpecField(const v1::EvaluationSpec& spec) {
  return FirstField(CheckedSpec(spec, AnyAddress).status());
}

TEST(EvaluationSpecTest, FillsInDefaults) {
  v1::EvaluationSpec spec = Spec();
  AddScorer(&spec, "polite");
  spec.mutable_predictor()->set_address("127.0.0.1:9");
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::EvaluationSpec checked, CheckedSpec(spec, AnyAddress));
  EXPECT_EQ(checked.judges(0).assessment_name(), "tone");
  EXPECT_EQ(checked.parallelism(), 16);
  EXPECT_EQ(checked.scorers(0).timeout().seconds(), 60);
  EXPECT_EQ(checked.predictor().timeout().seconds(), 120);
  EXPECT_EQ(checked.predictor().trace_wait().seconds(), 0);
}

TEST(EvaluationSpecTest, RefusesAnEmptySpecification) {
  EXPECT_EQ(SpecField(v1::EvaluationSpec()), "spec.judges");
}

TEST(EvaluationSpecTest, RefusesTooManyJudges) {
  v1::EvaluationSpec spec;
  for (int i = 0; i < 51; ++i) {
    spec.add_judges()->set_registered("experiments/e/judges/j" + std::to_string(i));
  }
  EXPECT_EQ(SpecField(spec), "spec.judges");
  spec.mutable_judges()->RemoveLast();
  EXPECT_EQ(SpecField(spec), "");
}

TEST(EvaluationSpecTest, RefusesNamesThatAreNotDistinct) {
  v1::EvaluationSpec spec = Spec();
  AddScorer(&spec, "tone");
  EXPECT_EQ(SpecField(spec), "spec.scorers[0].scorer");
}

TEST(EvaluationSpecTest, RefusesScorersThatMayNotBeCalledWithinJudgesToo) {
  v1::EvaluationSpec spec;
  v1::EvaluationJudge& judge = *spec.add_judges();
  judge.set_assessment_name("polite");
  judge.mutable_definition()->mutable_scorer()->set_address("10.0.0.1:80");
  judge.mutable_definition()->mutable_scorer()->set_scorer("polite");
  EXPECT_EQ(SpecField(spec), "");
  EXPECT_EQ(FirstField(CheckedSpec(spec, NoAddress).status()),
            "spec.judges[0].definition.scorer.address");
}

TEST(EvaluationSpecTest, RefusesTooManyCallsAtATime) {
  v1::EvaluationSpec spec = Spec();
  AddScorer(&spec, "polite");
  spec.mutable_scorers(0)->set_max_concurrency(1'001);
  EXPECT_EQ(SpecField(spec), "spec.scorers[0].max_concurrency");
}

TEST(EvaluationSpecTest, AnInlineJudgeNeedsANameAndAGoodDefinition) {
  v1::EvaluationSpec spec;
  v1::EvaluationJudge& judge = *spec.add_judges();
  judge.mutable_definition()->mutable_instructions()->set_instructions("Rate {{ outputs }}");
  EXPECT_EQ(SpecField(spec), "spec.judges[0].assessment_name");
  judge.set_assessment_name("quality");
  EXPECT_EQ(SpecField(spec), "");
  judge.mutable_definition()->mutable_instructions()->set_instructions("Rate {{ answer }}");
  EXPECT_THAT(CheckedSpec(spec, AnyAddress), HasReason("UNKNOWN_TEMPLATE_VARIABLE"));
  EXPECT_EQ(SpecField(spec), "spec.judges[0].definition.instructions.instructions");
}

TEST(EvaluationSpecTest, RefusesBadNamesAddressesAndNumbers) {
  v1::EvaluationSpec spec = Spec();
  spec.mutable_judges(0)->set_registered("judges/tone");
  EXPECT_EQ(SpecField(spec), "spec.judges[0].registered");
  spec = Spec();
  spec.mutable_judges(0)->clear_registered();
  EXPECT_EQ(SpecField(spec), "spec.judges[0]");
  spec = Spec();
  spec.set_parallelism(257);
  EXPECT_EQ(SpecField(spec), "spec.parallelism");
  spec = Spec();
  spec.mutable_predictor();
  EXPECT_EQ(SpecField(spec), "spec.predictor.address");
  spec.mutable_predictor()->set_address("10.0.0.1:80");
  EXPECT_EQ(FirstField(CheckedSpec(spec, NoAddress).status()), "spec.predictor.address");
  spec.mutable_predictor()->mutable_timeout()->set_seconds(601);
  EXPECT_EQ(SpecField(spec), "spec.predictor.timeout");
  spec.mutable_predictor()->clear_timeout();
  *spec.mutable_predictor()->mutable_parameters() = json::JsonFromText("[1]");
  EXPECT_EQ(SpecField(spec), "spec.predictor.parameters");
}

class EvaluationRowsTest : public testing::Test {
 protected:
  v1::EvaluationRow& Add() { return *request_.add_rows(); }
  std::vector<std::string> Fields(bool has_predictor = false) {
    std::vector<std::string> fields;
    const auto checked = CheckedRows(request_.rows(), {"e"}, has_predictor);
    for (const FieldViolation& violation : FieldViolations(checked.status())) {
      fields.push_back(violation.field);
    }
    return fields;
  }
  v1::CreateEvaluationRequest request_;
};

TEST_F(EvaluationRowsTest, NamesEveryBadRow) {
  *Add().mutable_inputs() = json::JsonFromText("{\"q\":1}");
  *Add().mutable_inputs() = json::JsonFromText("[1]");
  Add();
  *Add().mutable_inputs() = json::JsonFromText("{\"q\":");
  EXPECT_THAT(Fields(), testing::ElementsAre("rows[1].inputs", "rows[2].inputs", "rows[3].inputs"));
}

TEST_F(EvaluationRowsTest, ExpectationsAreAnObject) {
  v1::EvaluationRow& row = Add();
  *row.mutable_inputs() = json::JsonFromText("{}");
  *row.mutable_expectations() = json::JsonFromText("\"yes\"");
  EXPECT_THAT(Fields(), testing::ElementsAre("rows[0].expectations"));
}

TEST_F(EvaluationRowsTest, ATraceStandsForInputsAndIsOfTheExperiment) {
  Add().set_trace("experiments/e/traces/" + std::string(32, 'a'));
  EXPECT_THAT(Fields(), IsEmpty());
  EXPECT_THAT(Fields(/*has_predictor=*/true), testing::ElementsAre("rows[0].trace"));
  request_.mutable_rows(0)->set_trace("experiments/other/traces/" + std::string(32, 'a'));
  EXPECT_THAT(Fields(), testing::ElementsAre("rows[0].trace"));
}

TEST_F(EvaluationRowsTest, APredictorGivesTheOutputs) {
  v1::EvaluationRow& row = Add();
  *row.mutable_inputs() = json::JsonFromText("{}");
  *row.mutable_outputs() = json::JsonFromText("1");
  EXPECT_THAT(Fields(), IsEmpty());
  EXPECT_THAT(Fields(/*has_predictor=*/true), testing::ElementsAre("rows[0].outputs"));
}

TEST_F(EvaluationRowsTest, RefusesTooManyAndTooLargeRows) {
  v1::EvaluationRow& row = Add();
  *row.mutable_inputs() =
      json::JsonFromText("{\"x\":\"" + std::string(kMaxRowFieldBytes, 'x') + "\"}");
  EXPECT_THAT(Fields(), testing::ElementsAre("rows[0].inputs"));
  request_.clear_rows();
  for (int i = 0; i < 1'001; ++i) *Add().mutable_inputs() = json::JsonFromText("{}");
  EXPECT_THAT(Fields(), testing::ElementsAre("rows"));
}

}  // namespace
}  // namespace assay::judge
