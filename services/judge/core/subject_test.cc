#include "services/judge/core/subject.h"

#include <memory>
#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::shared_ptr<const trace::v1::Trace> Trace(const std::string& text) {
  auto trace = std::make_shared<trace::v1::Trace>();
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, trace.get())) << text;
  return trace;
}

constexpr char kLabelled[] = R"pb(
  name: 'experiments/e/traces/1'
  inputs { json_text: '"in"' }
  outputs { json_text: '"out"' }
  assessments {
    assessment_name: 'expected_response'
    expectation: true
    source { kind: SOURCE_KIND_HUMAN }
    value { json_text: '"old"' }
  }
  assessments {
    assessment_name: 'expected_response'
    expectation: true
    source { kind: SOURCE_KIND_HUMAN }
    value { json_text: '"new"' }
  }
  assessments {
    assessment_name: 'by_code'
    expectation: true
    source { kind: SOURCE_KIND_CODE }
    value { json_text: '1' }
  }
  assessments {
    assessment_name: 'of_span'
    expectation: true
    source { kind: SOURCE_KIND_HUMAN }
    span_id: 'a'
    value { json_text: '1' }
  }
  assessments {
    assessment_name: 'quality'
    source { kind: SOURCE_KIND_HUMAN }
    value { json_text: '"canary"' }
  }
)pb";

TEST(HumanExpectations, LeavesOutFeedbackAndOtherSources) {
  EXPECT_THAT(HumanExpectations(*Trace(kLabelled)),
              ElementsAre(Pair("expected_response", "\"new\"")));
}

TEST(FillFromTrace, TakesWhatIsNotGiven) {
  Subject subject;
  subject.trace = Trace(kLabelled);
  subject.outputs = "\"given\"";
  ASSERT_OK(FillFromTrace(&subject));
  EXPECT_EQ(subject.inputs, "\"in\"");
  EXPECT_EQ(subject.outputs, "\"given\"");
  EXPECT_EQ(subject.expectations, R"({"expected_response":"new"})");
  EXPECT_EQ(subject.trace_name, "experiments/e/traces/1");

  Subject given;
  given.trace = Trace(kLabelled);
  given.expectations = "{}";
  ASSERT_OK(FillFromTrace(&given));
  EXPECT_EQ(given.expectations, "{}");
}

TEST(FillFromTrace, TakesExpectationsOfASessionFromItsFirstTrace) {
  Subject subject;
  subject.session = {Trace(kLabelled), Trace("name: 'experiments/e/traces/2'")};
  ASSERT_OK(FillFromTrace(&subject));
  EXPECT_EQ(subject.expectations, R"({"expected_response":"new"})");
  EXPECT_EQ(subject.trace_name, "experiments/e/traces/1");
  EXPECT_FALSE(subject.inputs.has_value());
}

TEST(FillFromTrace, LeavesExpectationsOutWhereNobodyGaveAny) {
  Subject subject;
  subject.trace = Trace("inputs { json_text: '1' }");
  ASSERT_OK(FillFromTrace(&subject));
  EXPECT_FALSE(subject.expectations.has_value());
}

}  // namespace
}  // namespace assay::judge
