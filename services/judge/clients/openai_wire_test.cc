#include "services/judge/clients/openai_wire.h"

#include <string>

#include "services/judge/clients/wire_fixture.h"

namespace assay::judge {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kGood[] =
    R"({"model":"gpt-x-2025","choices":[{"message":{"role":"assistant","content":"{\"result\":true}"},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":30,)"
    R"("prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":20}}})";

class OpenAiWireTest : public WireTest {
 protected:
  OpenAiWireTest() { Start({.uri_prefix = "openai:/", .max_completion_tokens = true}); }

  void Start(OpenAiWire::Options wire) {
    ProviderOptions options = OptionsWithKey(wire.uri_prefix);
    Use(std::move(options), std::make_unique<OpenAiWire>(std::move(wire)));
  }
  static ModelRequest Request() {
    return {.model_uri = "openai:/gpt-x",
            .messages = {{ChatRole::kSystem, "Be fair."}, {ChatRole::kUser, "Say \"yes\"\n"}},
            .response_schema = kVerdictSchema,
            .schema_name = "verdict",
            .parameters = {{"temperature", 0.1}, {"max_tokens", 100}, {"seed", 7}},
            .idempotency_key = "key-1"};
  }
};

TEST_F(OpenAiWireTest, SendsTheConversationAndTheSchema) {
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  ASSERT_THAT(http_.requests(), SizeIs(1));
  const http::HttpRequest request = http_.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://api.test/chat/completions");
  EXPECT_EQ(SentHeader("authorization"), "Bearer hush-1234");
  EXPECT_EQ(SentHeader("idempotency-key"), "key-1");
  EXPECT_EQ(
      request.body,
      StrCat(
          R"({"model":"gpt-x","messages":[{"role":"system","content":"Be fair."},)"
          R"({"role":"user","content":"Say \"yes\"\n"}],"response_format":{"type":"json_schema",)"
          R"("json_schema":{"name":"verdict","strict":true,"schema":)",
          kVerdictSchema, R"(}},"max_completion_tokens":100,"seed":7,"temperature":0.1})"));
}

TEST_F(OpenAiWireTest, OtherServersKnowMaxTokens) {
  Start({.uri_prefix = "endpoints:/local"});
  ASSERT_OK(AskWhenAnswered({.model_uri = "endpoints:/local/llama",
                             .messages = {{ChatRole::kUser, "hi"}},
                             .parameters = {{"max_tokens", 5}}},
                            200, kGood));
  EXPECT_EQ(Sent("model"), "llama");
  EXPECT_EQ(Sent("response_format"), "(none)");
  EXPECT_EQ(Sent("max_tokens"), "5");
  EXPECT_EQ(SentHeader("idempotency-key"), "(none)");
}

TEST_F(OpenAiWireTest, ReadsTheAnswerAndItsUsage) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(response.text, R"({"result":true})");
  EXPECT_EQ(response.answered_by, "gpt-x-2025");
  EXPECT_EQ(response.input_tokens, 12);
  EXPECT_EQ(response.cached_input_tokens, 5);
  EXPECT_EQ(response.output_tokens, 30);
  EXPECT_EQ(response.reasoning_tokens, 20);
  EXPECT_FALSE(response.truncated);
}

TEST_F(OpenAiWireTest, ReadsContentInParts) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(Request(), 200,
                      R"({"choices":[{"message":{"content":[{"type":"reasoning","text":"hm"},)"
                      R"({"type":"text","text":"a"},{"type":"text","text":"b"}]}}]})"));
  EXPECT_EQ(response.text, "ab");
  EXPECT_EQ(response.answered_by, "gpt-x");
}

TEST_F(OpenAiWireTest, MarksAnswersCutOffByTheTokenLimit) {
  for (const char* content : {R"("{\"res")", "null"}) {
    ASSAY_ASSERT_OK_AND_ASSIGN(
        ModelResponse response,
        AskWhenAnswered(Request(), 200,
                        StrCat(R"({"choices":[{"message":{"content":)", content,
                               R"(},"finish_reason":"length"}]})")));
    EXPECT_TRUE(response.truncated);
  }
}

TEST_F(OpenAiWireTest, AnswersOutsideTheContractMayBeAskedAgain) {
  for (const char* body :
       {"", "not json", R"({"choices":)", "[]", "{}", R"({"choices":[]})", R"({"choices":[{}]})",
        R"({"choices":[{"message":{"content":null}}]})",
        R"({"choices":[{"message":{"content":null,"tool_calls":7}}]})",
        R"({"choices":[{"message":{"content":7}}]})", R"({"choices":{"message":1}})"}) {
    const absl::StatusOr<ModelResponse> answer = AskWhenAnswered(Request(), 200, body);
    EXPECT_THAT(answer, HasReason("MODEL_UNREACHABLE")) << body;
    EXPECT_TRUE(IsRetriable(answer.status())) << body;
  }
}

TEST_F(OpenAiWireTest, RefusalIsFinal) {
  for (const char* body :
       {R"({"choices":[{"message":{"content":null,"refusal":"I will not"}}]})",
        R"({"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]})"}) {
    const absl::StatusOr<ModelResponse> answer = AskWhenAnswered(Request(), 200, body);
    EXPECT_THAT(answer, HasReason("MODEL_REFUSED"));
    EXPECT_FALSE(IsRetriable(answer.status()));
  }
}

TEST_F(OpenAiWireTest, SaysToolsTheirCallsAndTheirResults) {
  ASSERT_OK(AskWhenAnswered(WithTools("openai:/gpt-x"), 200, kGood));
  EXPECT_EQ(
      Sent("messages[1]"),
      R"({"role":"assistant","content":"I look.","tool_calls":[{"id":"id-1","type":"function",)"
      R"("function":{"name":"list_spans","arguments":"{\"page\":1}"}},{"id":"id-2",)"
      R"("type":"function","function":{"name":"get_span","arguments":"broken"}}]})");
  EXPECT_EQ(Sent("messages[2]"), R"({"role":"tool","tool_call_id":"id-1","content":"3 spans"})");
  EXPECT_EQ(Sent("tools"),
            R"([{"type":"function","function":{"name":"list_spans","description":"Lists spans.",)"
            R"("parameters":{"type":"object","properties":{"page":{"type":"integer"}}}}}])");
}

TEST_F(OpenAiWireTest, ReadsToolCalls) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(
          WithTools("openai:/x"), 200,
          R"({"choices":[{"message":{"content":null,"tool_calls":[{"id":"c1","type":"function",)"
          R"("function":{"name":"list_spans","arguments":"{\"page\":2}"}},{"function":)"
          R"({"name":"get_span","arguments":{"id":"a"}}},{"id":"nameless"}]}}]})"));
  ASSERT_THAT(response.tool_calls, SizeIs(2));
  EXPECT_EQ(response.tool_calls[0].id, "c1");
  EXPECT_EQ(response.tool_calls[0].arguments, R"({"page":2})");
  EXPECT_EQ(response.tool_calls[1].id, "call-1");
  EXPECT_EQ(response.tool_calls[1].arguments, R"({"id":"a"})");
}

TEST_F(OpenAiWireTest, ReadsProbabilitiesWhereTheyAreAskedFor) {
  ModelRequest request = Request();
  request.token_probabilities = true;
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(
          request, 200,
          R"({"choices":[{"message":{"content":"yes"},"logprobs":{"content":[)"
          R"({"token":"yes","logprob":-0.105360516,"top_logprobs":[)"
          R"({"token":"yes","logprob":-0.105360516},{"token":"no","logprob":-2.302585},)"
          R"({"token":"odd","logprob":3},{"token":"x"}]}]}}]})"));
  EXPECT_EQ(Sent("logprobs"), "true");
  EXPECT_EQ(Sent("top_logprobs"), "5");
  ASSERT_THAT(response.token_probabilities, SizeIs(1));
  EXPECT_THAT(response.token_probabilities[0].probability, DoubleNear(0.9, 1e-6));
  const auto& others = response.token_probabilities[0].alternatives;
  ASSERT_THAT(others, SizeIs(4));
  EXPECT_EQ(others[1].first, "no");
  EXPECT_THAT(others[1].second, DoubleNear(0.1, 1e-6));
  EXPECT_EQ(others[2].second, 1);
  EXPECT_EQ(others[3].second, 0);
}

TEST_F(OpenAiWireTest, AzureAsksADeployment) {
  Start({.uri_prefix = "azure:/", .place = OpenAiWire::Place::kAzure, .api_version = "2024-10-21"});
  ModelRequest request = Request();
  request.model_uri = "azure:/my deployment/x";
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_EQ(http_.requests()[0].url,
            "https://api.test/openai/deployments/my%20deployment%2Fx/chat/completions"
            "?api-version=2024-10-21");
  EXPECT_EQ(SentHeader("api-key"), "hush-1234");
  EXPECT_EQ(SentHeader("authorization"), "(none)");
  EXPECT_EQ(Sent("model"), "(none)");
  EXPECT_EQ(Sent("max_tokens"), "100");
}

TEST_F(OpenAiWireTest, DatabricksAsksAnEndpoint) {
  Start({.uri_prefix = "databricks:/", .place = OpenAiWire::Place::kDatabricks});
  ModelRequest request = Request();
  request.model_uri = "databricks:/my-endpoint";
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_EQ(http_.requests()[0].url, "https://api.test/serving-endpoints/my-endpoint/invocations");
  EXPECT_EQ(SentHeader("authorization"), "Bearer hush-1234");
  request.model_uri = "databricks:/..";
  EXPECT_THAT(Ask(request), HasReason("INVALID_MODEL_URI"));
}

}  // namespace
}  // namespace assay::judge
