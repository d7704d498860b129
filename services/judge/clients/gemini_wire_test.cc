#include "services/judge/clients/gemini_wire.h"

#include <string>

#include "services/judge/clients/wire_fixture.h"

namespace assay::judge {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kGood[] =
    R"({"candidates":[{"content":{"role":"model","parts":[{"text":"hidden","thought":true},)"
    R"({"text":"{\"result\":"},{"text":"true}"}]},"finishReason":"STOP"}],"usageMetadata":{)"
    R"("promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":3,)"
    R"("thoughtsTokenCount":20},"modelVersion":"gemini-x-001"})";

class GeminiWireTest : public WireTest {
 protected:
  GeminiWireTest() { Use(OptionsWithKey("gemini:/"), std::make_unique<GeminiWire>("gemini:/")); }
  static ModelRequest Request() {
    return {.model_uri = "gemini:/gemini-x",
            .messages = {{ChatRole::kSystem, "Be fair."},
                         {ChatRole::kUser, "one"},
                         {ChatRole::kAssistant, "two"},
                         {ChatRole::kUser, "three"}},
            .response_schema = kVerdictSchema,
            .parameters = {{"temperature", 0}, {"top_p", 0.5}, {"max_tokens", 9}, {"seed", 7}},
            .idempotency_key = "key-1"};
  }
};

TEST_F(GeminiWireTest, SendsContentsAndTheSchema) {
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(http_.requests()[0].url, "https://api.test/models/gemini-x:generateContent");
  EXPECT_EQ(SentHeader("x-goog-api-key"), "hush-1234");
  EXPECT_EQ(SentHeader("idempotency-key"), "(none)");
  EXPECT_EQ(
      http_.requests()[0].body,
      R"({"contents":[{"role":"user","parts":[{"text":"one"}]},{"role":"model","parts":[)"
      R"({"text":"two"}]},{"role":"user","parts":[{"text":"three"}]}],"systemInstruction":{)"
      R"("parts":[{"text":"Be fair."}]},"generationConfig":{"maxOutputTokens":9,"seed":7,)"
      R"("temperature":0,"topP":0.5,"responseMimeType":"application/json","responseSchema":{)"
      R"("type":"OBJECT","properties":{"result":{"type":"BOOLEAN"}},"propertyOrdering":["result"]}}})");
}

TEST_F(GeminiWireTest, ReadsTheAnswerWithoutItsThoughts) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(response.text, R"({"result":true})");
  EXPECT_EQ(response.answered_by, "gemini-x-001");
  EXPECT_EQ(response.input_tokens, 10);
  EXPECT_EQ(response.cached_input_tokens, 4);
  EXPECT_EQ(response.output_tokens, 23);
  EXPECT_EQ(response.reasoning_tokens, 20);
}

TEST_F(GeminiWireTest, NamesOfModelsStayInTheirPlace) {
  ModelRequest request = Request();
  for (const auto& [model, path] :
       {std::pair("models/gemini-x", "/models/gemini-x:generateContent"),
        std::pair("tunedModels/mine", "/tunedModels/mine:generateContent"),
        std::pair("a/../../b?c#d", "/models/a%2F..%2F..%2Fb%3Fc%23d:generateContent")}) {
    request.model_uri = StrCat("gemini:/", model);
    ASSERT_OK(AskWhenAnswered(request, 200, kGood));
    EXPECT_EQ(http_.requests().back().url, StrCat("https://api.test", path));
  }
}

TEST_F(GeminiWireTest, SaysToolsTheirCallsAndTheirResults) {
  ModelRequest request = WithTools("gemini:/x");
  request.response_schema = kVerdictSchema;
  request.messages[1].tool_calls[0].id = "id-1.c2ln";
  request.messages[2].tool_call_id = "id-1.c2ln";
  request.tools.push_back({"now", "Tells the time.", R"({"type":"object","properties":{}})"});
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_EQ(Sent("contents[1]"),
            R"({"role":"model","parts":[{"text":"I look."},{"functionCall":{"name":"list_spans",)"
            R"("args":{"page":1}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"get_span",)"
            R"("args":{}}}]})");
  EXPECT_EQ(Sent("contents[2]"),
            R"({"role":"user","parts":[{"functionResponse":{"name":"list_spans","response":{)"
            R"("result":"3 spans"}}},{"functionResponse":{"name":"get_span","response":{)"
            R"("result":"none"}}}]})");
  EXPECT_EQ(Sent("tools[0].functionDeclarations[0].parameters.properties.page.type"), "INTEGER");
  EXPECT_EQ(Sent("tools[0].functionDeclarations[1].parameters"), "(none)");
  EXPECT_EQ(Sent("generationConfig"), "(none)");
  EXPECT_THAT(Sent("systemInstruction"), HasSubstr("JSON Schema"));
}

TEST_F(GeminiWireTest, MakesUpIdsThatKeepTheSignature) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(WithTools("gemini:/x"), 200,
                      R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"list_spans",)"
                      R"("args":{"page":2}},"thoughtSignature":"c2ln"},{"functionCall":)"
                      R"({"name":"now"}}]}}]})"));
  ASSERT_THAT(response.tool_calls, SizeIs(2));
  EXPECT_EQ(response.tool_calls[0].id, "call-3.c2ln");
  EXPECT_EQ(response.tool_calls[0].arguments, R"({"page":2})");
  EXPECT_EQ(response.tool_calls[1].id, "call-4");
  EXPECT_EQ(response.tool_calls[1].arguments, "{}");
}

TEST_F(GeminiWireTest, ReadsProbabilities) {
  ModelRequest request = Request();
  request.token_probabilities = true;
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(request, 200,
                      R"({"candidates":[{"content":{"parts":[{"text":"yes"}]},"logprobsResult":{)"
                      R"("chosenCandidates":[{"token":"yes","logProbability":-0.105360516}],)"
                      R"("topCandidates":[{"candidates":[{"token":"yes","logProbability":-0.1},)"
                      R"({"token":"no","logProbability":-2.302585}]}]}}]})"));
  EXPECT_EQ(Sent("generationConfig.responseLogprobs"), "true");
  ASSERT_THAT(response.token_probabilities, SizeIs(1));
  EXPECT_THAT(response.token_probabilities[0].probability, DoubleNear(0.9, 1e-6));
  ASSERT_THAT(response.token_probabilities[0].alternatives, SizeIs(2));
  EXPECT_THAT(response.token_probabilities[0].alternatives[1].second, DoubleNear(0.1, 1e-6));
}

TEST_F(GeminiWireTest, RemembersAModelWithoutProbabilities) {
  ModelRequest request = Request();
  request.token_probabilities = true;
  EXPECT_TRUE(client_->Traits(request.model_uri).token_probabilities);
  http_.Enqueue(400, R"({"error":{"code":400,"message":"Logprobs is not enabled for gemini-x"}})");
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_EQ(Sent("generationConfig.responseLogprobs"), "(none)");
  EXPECT_EQ(Sent("generationConfig.responseMimeType"), "application/json");
  EXPECT_FALSE(client_->Traits(request.model_uri).token_probabilities);
  EXPECT_TRUE(client_->Traits(request.model_uri).tools);
}

TEST_F(GeminiWireTest, BlocksAndFiltersAreFinal) {
  for (const char* body : {R"({"promptFeedback":{"blockReason":"SAFETY"}})",
                           R"({"candidates":[{"finishReason":"PROHIBITED_CONTENT"}]})"}) {
    EXPECT_THAT(AskWhenAnswered(Request(), 200, body), HasReason("MODEL_REFUSED")) << body;
  }
}

TEST_F(GeminiWireTest, AnswersOutsideTheContractMayBeAskedAgain) {
  for (const char* body : {"", "[]", "{}", R"({"candidates":{}})", R"({"candidates":[]})",
                           R"({"candidates":[{"content":{"parts":7}}]})",
                           R"({"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]})"}) {
    const absl::StatusOr<ModelResponse> answer = AskWhenAnswered(Request(), 200, body);
    EXPECT_THAT(answer, HasReason("MODEL_UNREACHABLE")) << body;
    EXPECT_TRUE(IsRetriable(answer.status())) << body;
  }
}

TEST_F(GeminiWireTest, ErrorsTellWhatGoogleMeans) {
  const std::string rate =
      R"({"error":{"code":429,"message":"You exceeded your current quota","status":)"
      R"("RESOURCE_EXHAUSTED","details":[{"@type":"t","violations":[{"quotaId":"PerMinute"}]},)"
      R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"13.5s"}]}})";
  const absl::Status slow = AskWhenAnswered(Request(), 429, rate).status();
  EXPECT_TRUE(IsRetriable(slow));
  EXPECT_EQ(RetryAfterOf(slow), absl::Milliseconds(13'500));
  std::string daily = rate;
  daily.replace(daily.find("PerMinute"), 9, "PerDayPerX");
  EXPECT_THAT(AskWhenAnswered(Request(), 429, daily), HasReason("MODEL_QUOTA_EXHAUSTED"));
  const absl::Status key =
      AskWhenAnswered(Request(), 400,
                      R"({"error":{"code":400,"message":"API key not valid: hush-1234","details":[)"
                      R"({"reason":"API_KEY_INVALID"}]}})")
          .status();
  EXPECT_THAT(key, StatusIs(absl::StatusCode::kFailedPrecondition, Not(HasSubstr("hush"))));
  EXPECT_THAT(key, HasReason("MODEL_UNAUTHORIZED"));
  EXPECT_THAT(
      AskWhenAnswered(Request(), 400,
                      R"({"error":{"message":"The input token count (9) exceeds the maximum )"
                      R"(number of tokens allowed (5)."}})"),
      HasReason("MODEL_CONTEXT_OVERFLOW"));
}

}  // namespace
}  // namespace assay::judge
