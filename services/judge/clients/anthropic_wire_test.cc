#include "services/judge/clients/anthropic_wire.h"

#include <string>

#include "services/judge/clients/wire_fixture.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kGood[] =
    R"({"model":"claude-x-1","content":[{"type":"text","text":"I think."},)"
    R"({"type":"tool_use","id":"t","name":"record_verdict","input":{"rationale":"r","result":1.0}}],)"
    R"("stop_reason":"tool_use","usage":{"input_tokens":12,"cache_read_input_tokens":5,"output_tokens":3}})";

class AnthropicWireTest : public WireTest {
 protected:
  AnthropicWireTest() {
    Use(OptionsWithKey("anthropic:/"), std::make_unique<AnthropicWire>("anthropic:/"));
  }
  static ModelRequest Request() {
    return {.model_uri = "anthropic:/claude-x",
            .messages = {{ChatRole::kSystem, "Be fair."},
                         {ChatRole::kUser, "one"},
                         {ChatRole::kAssistant, "two"},
                         {ChatRole::kUser, "three"}},
            .response_schema = kVerdictSchema,
            .parameters = {{"temperature", 0}},
            .idempotency_key = "key-1"};
  }
};

TEST_F(AnthropicWireTest, SendsSystemApartAndForcesTheVerdictTool) {
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(http_.requests()[0].url, "https://api.test/v1/messages");
  EXPECT_EQ(SentHeader("x-api-key"), "hush-1234");
  EXPECT_EQ(SentHeader("anthropic-version"), "2023-06-01");
  EXPECT_EQ(SentHeader("idempotency-key"), "key-1");
  EXPECT_EQ(
      http_.requests()[0].body,
      StrCat(
          R"({"model":"claude-x","max_tokens":4096,"system":"Be fair.","messages":[)"
          R"({"role":"user","content":"one"},{"role":"assistant","content":"two"},)"
          R"({"role":"user","content":"three"}],"tools":[{"name":"record_verdict","description":)"
          R"("Records the answer. Its input is the whole answer.","input_schema":)",
          kVerdictSchema,
          R"(}],"tool_choice":{"type":"tool","name":"record_verdict"},"temperature":0})"));
}

TEST_F(AnthropicWireTest, RefusesASeedRatherThanDroppingIt) {
  ModelRequest request = Request();
  request.parameters["seed"] = 7;
  const absl::Status error = Ask(request).status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Anthropic")));
  EXPECT_THAT(error, HasReason("INVALID_INFERENCE_PARAMETER"));
  EXPECT_THAT(error, HasFieldViolation("inference_parameters.seed"));
  EXPECT_THAT(http_.requests(), SizeIs(0));
}

TEST_F(AnthropicWireTest, SystemAloneBecomesTheUsersTurn) {
  ASSERT_OK(AskWhenAnswered({.model_uri = "anthropic:/c",
                             .messages = {{ChatRole::kSystem, "Judge it."}},
                             .parameters = {{"max_tokens", 9}}},
                            200, kGood));
  EXPECT_EQ(Sent("messages"), R"([{"role":"user","content":"Judge it."}])");
  EXPECT_EQ(Sent("max_tokens"), "9");
  EXPECT_EQ(Sent("tools"), "(none)");
}

TEST_F(AnthropicWireTest, ReadsTheToolsInput) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(response.text, R"({"rationale":"r","result":1.0})");
  EXPECT_EQ(response.answered_by, "claude-x-1");
  EXPECT_EQ(response.input_tokens, 17);
  EXPECT_EQ(response.cached_input_tokens, 5);
  EXPECT_EQ(response.output_tokens, 3);
  EXPECT_FALSE(response.truncated);
  EXPECT_THAT(response.tool_calls, SizeIs(0));
}

TEST_F(AnthropicWireTest, ReadsTextWhereNoToolWasCalled) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(Request(), 200,
                      R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})"));
  EXPECT_EQ(response.text, "ab");
}

TEST_F(AnthropicWireTest, SaysToolsTheirCallsAndTheirResults) {
  ModelRequest request = WithTools("anthropic:/c");
  request.response_schema = kVerdictSchema;
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_EQ(Sent("messages[1]"),
            R"({"role":"assistant","content":[{"type":"text","text":"I look."},)"
            R"({"type":"tool_use","id":"id-1","name":"list_spans","input":{"page":1}},)"
            R"({"type":"tool_use","id":"id-2","name":"get_span","input":{}}]})");
  EXPECT_EQ(
      Sent("messages[2]"),
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"id-1","content":"3 spans"},)"
      R"({"type":"tool_result","tool_use_id":"id-2","content":"none"}]})");
  EXPECT_EQ(Sent("tools[0].name"), "list_spans");
  EXPECT_EQ(Sent("tools[1].name"), "record_verdict");
  EXPECT_EQ(Sent("tool_choice"), R"({"type":"any"})");
}

TEST_F(AnthropicWireTest, ToolsOfEarlierTurnsStayDefined) {
  ModelRequest request = WithTools("anthropic:/c");
  request.tools.clear();
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_EQ(Sent("tools[0].name"), "list_spans");
  EXPECT_EQ(Sent("tools[1].name"), "get_span");
  EXPECT_EQ(Sent("tool_choice"), R"({"type":"none"})");
}

TEST_F(AnthropicWireTest, ReadsToolCalls) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(WithTools("anthropic:/c"), 200,
                      R"({"content":[{"type":"tool_use","id":"t1","name":"list_spans",)"
                      R"("input":{"page":2}}],"stop_reason":"tool_use"})"));
  ASSERT_THAT(response.tool_calls, SizeIs(1));
  EXPECT_EQ(response.tool_calls[0].id, "t1");
  EXPECT_EQ(response.tool_calls[0].name, "list_spans");
  EXPECT_EQ(response.tool_calls[0].arguments, R"({"page":2})");
  EXPECT_EQ(response.text, "");
}

TEST_F(AnthropicWireTest, MarksAnswersCutOffByTheTokenLimit) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(Request(), 200, R"({"content":[],"stop_reason":"max_tokens"})"));
  EXPECT_TRUE(response.truncated);
}

TEST_F(AnthropicWireTest, AnswersOutsideTheContractMayBeAskedAgain) {
  for (const char* body :
       {"", "{", "{}", R"({"content":"x"})", R"({"content":[]})", R"({"content":[7]})"}) {
    const absl::StatusOr<ModelResponse> answer = AskWhenAnswered(Request(), 200, body);
    EXPECT_THAT(answer, HasReason("MODEL_UNREACHABLE")) << body;
    EXPECT_TRUE(IsRetriable(answer.status())) << body;
  }
}

TEST_F(AnthropicWireTest, OverloadMayBeAskedAgainAndRefusalNot) {
  const absl::StatusOr<ModelResponse> overloaded = AskWhenAnswered(
      Request(), 529,
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
  EXPECT_TRUE(IsRetriable(overloaded.status()));
  const absl::StatusOr<ModelResponse> refused =
      AskWhenAnswered(Request(), 200, R"({"content":[],"stop_reason":"refusal"})");
  EXPECT_THAT(refused, HasReason("MODEL_REFUSED"));
  EXPECT_FALSE(IsRetriable(refused.status()));
}

TEST_F(AnthropicWireTest, RemembersAModelThatTakesNoForcedTool) {
  http_.Enqueue(400, R"({"error":{"message":"tool_choice is not supported for this model"}})");
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(Sent("tools"), "(none)");
  EXPECT_THAT(Sent("system"), HasSubstr(kVerdictSchema));
  EXPECT_THAT(http_.requests(), SizeIs(2));
}

}  // namespace
}  // namespace assay::judge
