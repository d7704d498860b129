#include "services/judge/core/answer_confidence.h"

#include <memory>
#include <string>

#include "common/json/safe_json.h"
#include "common/judging/value_type.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/core/judge_machine.h"

namespace assay::judge {
namespace {

using common::v1::CONFIDENCE_METHOD_STATED;
using common::v1::CONFIDENCE_METHOD_TOKEN_PROBABILITY;
using common::v1::CONFIDENCE_METHOD_UNSPECIFIED;
using common::v1::CONFIDENCE_METHOD_VOTE_SHARE;
using ::testing::HasSubstr;

RenderedPrompt Prompt() {
  RenderedPrompt prompt;
  prompt.messages = {{ChatRole::kSystem, "Judge.", {}, ""}, {ChatRole::kUser, "This.", {}, ""}};
  prompt.value_type.mutable_bool_type();
  prompt.schema = judging::VerdictSchemaFor(prompt.value_type);
  prompt.contract = "Answer with JSON.\n";
  prompt.sha256 = "aa";
  return prompt;
}

JudgePlan Plan(common::v1::ConfidenceMethod method) {
  JudgePlan plan;
  plan.prompt = Prompt();
  plan.model_uri = "fake:/model";
  plan.confidence = method;
  return plan;
}

ModelAnswered Answered(std::string text) {
  ModelResponse response;
  response.text = std::move(text);
  return {std::move(response), {}};
}

TEST(AnswerConfidenceTest, AsksInSchemaContractAndMessage) {
  RenderedPrompt prompt = Prompt();
  AskForConfidence(CONFIDENCE_METHOD_STATED, &prompt);
  ASSAY_ASSERT_OK_AND_ASSIGN(const json::Node schema, json::ParseJson(prompt.schema));
  ASSERT_NE(schema.Find("properties")->Find("confidence"), nullptr);
  EXPECT_EQ(schema.Find("required")->children.back().text, "confidence");
  EXPECT_EQ(schema.Find("properties")->children.back().key, "confidence") << "after the result";
  EXPECT_THAT(prompt.messages[0].text, HasSubstr("\"confidence\""));
  EXPECT_THAT(prompt.contract, HasSubstr("\"confidence\""));
  EXPECT_NE(prompt.sha256, "aa");
}

TEST(AnswerConfidenceTest, ChangesNoPromptForOtherMethods) {
  for (const auto method : {CONFIDENCE_METHOD_UNSPECIFIED, CONFIDENCE_METHOD_TOKEN_PROBABILITY}) {
    RenderedPrompt prompt = Prompt();
    AskForConfidence(method, &prompt);
    EXPECT_EQ(prompt.schema, Prompt().schema);
    EXPECT_EQ(prompt.messages[0].text, "Judge.");
  }
}

TEST(AnswerConfidenceTest, TakesWhatIsStated) {
  JudgeMachine machine(Plan(CONFIDENCE_METHOD_STATED));
  JudgeStep step = machine.Next(JudgeStarted{});
  EXPECT_FALSE(std::get<CallModel>(step).request.token_probabilities);
  step = machine.Next(Answered(R"({"rationale":"r","result":true,"confidence":0.25})"));
  const auto& verdict = std::get<JudgeFinished>(step).verdict;
  ASSERT_OK(verdict);
  EXPECT_EQ(verdict->feedback.confidence().value(), 0.25);
  EXPECT_EQ(verdict->feedback.confidence().method(), CONFIDENCE_METHOD_STATED);
}

TEST(AnswerConfidenceTest, AsksAgainForWhatIsMissing) {
  for (const char* answer :
       {R"({"result":true})", R"({"result":true,"confidence":2})",
        R"({"result":true,"confidence":"high"})", R"({"result":true,"confidence":null})"}) {
    JudgeMachine machine(Plan(CONFIDENCE_METHOD_STATED));
    machine.Next(JudgeStarted{});
    JudgeStep step = machine.Next(Answered(answer));
    ASSERT_TRUE(std::holds_alternative<CallModel>(step)) << answer;
    EXPECT_THAT(std::get<CallModel>(step).request.messages.back().text,
                HasSubstr("no \"confidence\" that is a number from 0 to 1"));
    step = machine.Next(Answered(R"({"result":true,"confidence":1})"));
    EXPECT_EQ(std::get<JudgeFinished>(step).verdict->feedback.confidence().value(), 1);
  }
}

TEST(AnswerConfidenceTest, AsksForProbabilitiesAndDoesWithout) {
  JudgeMachine machine(Plan(CONFIDENCE_METHOD_TOKEN_PROBABILITY));
  JudgeStep step = machine.Next(JudgeStarted{});
  EXPECT_TRUE(std::get<CallModel>(step).request.token_probabilities);
  step = machine.Next(Answered(R"({"result":true})"));
  EXPECT_FALSE(std::get<JudgeFinished>(step).verdict->feedback.has_confidence());
}

TEST(AnswerConfidenceTest, RefusesModelsWithoutProbabilities) {
  JudgingSetup setup;
  EXPECT_OK(CheckConfidenceSupport(CONFIDENCE_METHOD_STATED, setup, "fake:/model"));
  EXPECT_THAT(CheckConfidenceSupport(CONFIDENCE_METHOD_TOKEN_PROBABILITY, setup, "fake:/model"),
              HasReason("TOKEN_PROBABILITIES_UNSUPPORTED"));
  setup.traits = [](std::string_view) { return ModelTraits{.token_probabilities = true}; };
  EXPECT_OK(CheckConfidenceSupport(CONFIDENCE_METHOD_TOKEN_PROBABILITY, setup, "fake:/model"));
}

TEST(AnswerConfidenceTest, LeavesVotesToTheirOwnMachine) {
  JudgingSetup setup;
  auto definition = std::make_shared<registry::v1::JudgeDefinition>();
  definition->mutable_confidence()->set_method(CONFIDENCE_METHOD_VOTE_SHARE);
  setup.definition = definition;
  EXPECT_EQ(AnswerConfidenceMethod(setup), CONFIDENCE_METHOD_UNSPECIFIED);
  definition->mutable_confidence()->set_method(CONFIDENCE_METHOD_STATED);
  EXPECT_EQ(AnswerConfidenceMethod(setup), CONFIDENCE_METHOD_STATED);
}

}  // namespace
}  // namespace assay::judge
