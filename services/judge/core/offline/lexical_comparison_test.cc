// The stand-in compares two answers, and states how sure it is.
#include <memory>
#include <string>

#include "common/json/safe_json.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"
#include "services/judge/core/answer_confidence.h"
#include "services/judge/core/kinds/pairwise_prompt.h"
#include "services/judge/core/offline/lexical_model.h"
#include "services/judge/core/prompt.h"

namespace assay::judge::offline {
namespace {

constexpr char kKind[] =
    "\"Thank you for asking, I am sorry! I am happy to help: it arrives on Monday at 9.\"";
constexpr char kRude[] = "\"go away\"";

json::Node Answer(RenderedPrompt prompt) {
  AskForConfidence(common::v1::CONFIDENCE_METHOD_STATED, &prompt);
  ModelRequest request;
  request.messages = prompt.messages;
  request.response_schema = prompt.schema;
  absl::StatusOr<json::Node> answer = json::ParseJson(AnswerLexically(request));
  EXPECT_OK(answer);
  return answer.ok() ? *std::move(answer) : json::Node{};
}

TEST(LexicalComparisonTest, PrefersTheSameAnswerInBothPlaces) {
  const Comparison comparison = {R"("When does my parcel arrive?")", kKind, kRude};
  EXPECT_EQ(Answer(PairwisePrompt({}, comparison, false, {})).Find("result")->text, "answer_a");
  EXPECT_EQ(Answer(PairwisePrompt({}, comparison, true, {})).Find("result")->text, "answer_b");
  const Comparison same = {R"("When does my parcel arrive?")", kKind, kKind};
  EXPECT_EQ(Answer(PairwisePrompt({}, same, false, {})).Find("result")->text, "tie");
}

TEST(LexicalComparisonTest, StatesAConfidenceFromZeroToOne) {
  registry::v1::JudgeDefinition definition;
  definition.mutable_instructions()->set_instructions("Does {{ outputs }} help?");
  definition.mutable_value_type()->mutable_bool_type();
  for (const char* outputs : {kKind, kRude}) {
    Subject subject;
    subject.outputs = outputs;
    ASSAY_ASSERT_OK_AND_ASSIGN(RenderedPrompt prompt, RenderPrompt(definition, subject));
    const json::Node answer = Answer(std::move(prompt));
    ASSERT_NE(answer.Find("confidence"), nullptr);
    EXPECT_GE(*answer.Find("confidence")->AsDouble(), 0.5);
    EXPECT_LE(*answer.Find("confidence")->AsDouble(), 1);
  }
}

}  // namespace
}  // namespace assay::judge::offline
