#include "services/judge/clients/anthropic_client.h"

#include <string>

#include "common/clock/fake_clock.h"
#include "common/http/testing/fake_http_client.h"
#include "common/json/safe_json.h"
#include "common/status/status_matchers.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/scripted_model_client.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kSchema[] = R"({"type":"object","properties":{"result":{"type":"boolean"}}})";
constexpr char kGood[] =
    R"({"model":"claude-x-1","content":[{"type":"text","text":"I think."},)"
    R"({"type":"tool_use","id":"t","name":"record_verdict","input":{"rationale":"r","result":1.0}}],)"
    R"("stop_reason":"tool_use","usage":{"input_tokens":12,"cache_read_input_tokens":5,"output_tokens":3}})";

class AnthropicClientTest : public testing::Test {
 protected:
  ModelRequest Request() {
    return {.model_uri = "anthropic:/claude-x",
            .messages = {{ChatRole::kSystem, "Be fair."},
                         {ChatRole::kUser, "one"},
                         {ChatRole::kAssistant, "two"},
                         {ChatRole::kUser, "three"}},
            .response_schema = kSchema,
            .parameters = {{"temperature", 0}, {"seed", 7}},
            .idempotency_key = "key-1"};
  }
  absl::StatusOr<ModelResponse> Ask(ModelRequest request) {
    ModelAnswer answer;
    client_.Complete(std::move(request), {}, answer.Taker());
    return *answer;
  }
  absl::StatusOr<ModelResponse> AskWhenAnswered(int status, const std::string& body) {
    http_.Enqueue(status, body);
    return Ask(Request());
  }
  std::string Sent(const std::string& path) {
    auto text = json::JsonPathText(http_.requests().back().body, path);
    return text.ok() ? text->value_or("(none)") : text.status().ToString();
  }

  InlineExecutor executor_;
  FakeClock clock_;
  http::FakeHttpClient http_{&executor_};
  AnthropicClient client_{
      {.uri_prefix = "anthropic:/", .base_url = "https://api.test", .api_key = "hush-1234"},
      {&http_, &executor_, &clock_}};
};

TEST_F(AnthropicClientTest, SendsSystemApartAndForcesTheVerdictTool) {
  ASSERT_OK(AskWhenAnswered(200, kGood));
  const http::HttpRequest request = http_.requests()[0];
  EXPECT_EQ(request.url, "https://api.test/v1/messages");
  EXPECT_EQ(*http::FindHeader(request.headers, "x-api-key"), "hush-1234");
  EXPECT_EQ(*http::FindHeader(request.headers, "anthropic-version"), "2023-06-01");
  EXPECT_EQ(*http::FindHeader(request.headers, "idempotency-key"), "key-1");
  EXPECT_EQ(Sent("model"), "claude-x");
  EXPECT_EQ(Sent("system"), "Be fair.");
  EXPECT_EQ(Sent("messages"),
            R"([{"role":"user","content":"one"},{"role":"assistant","content":"two"},)"
            R"({"role":"user","content":"three"}])");
  EXPECT_EQ(Sent("max_tokens"), "4096");
  EXPECT_EQ(Sent("temperature"), "0");
  EXPECT_EQ(Sent("seed"), "(none)");
  EXPECT_EQ(Sent("tools[0].name"), "record_verdict");
  EXPECT_EQ(Sent("tools[0].input_schema"), kSchema);
  EXPECT_EQ(Sent("tool_choice"), R"({"type":"tool","name":"record_verdict"})");
}

TEST_F(AnthropicClientTest, SystemAloneBecomesTheUsersTurn) {
  http_.Enqueue(200, kGood);
  ASSERT_OK(Ask({.model_uri = "anthropic:/c",
                 .messages = {{ChatRole::kSystem, "Judge it."}},
                 .parameters = {{"max_tokens", 9}}}));
  EXPECT_EQ(Sent("messages"), R"([{"role":"user","content":"Judge it."}])");
  EXPECT_EQ(Sent("max_tokens"), "9");
  EXPECT_EQ(Sent("tools"), "(none)");
}

TEST_F(AnthropicClientTest, ReadsTheToolsInput) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, AskWhenAnswered(200, kGood));
  EXPECT_EQ(response.text, R"({"rationale":"r","result":1.0})");
  EXPECT_EQ(response.answered_by, "claude-x-1");
  EXPECT_EQ(response.input_tokens, 17);
  EXPECT_EQ(response.output_tokens, 3);
  EXPECT_FALSE(response.truncated);
}

TEST_F(AnthropicClientTest, ReadsTextWhereNoToolWasCalled) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(200,
                      R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})"));
  EXPECT_EQ(response.text, "ab");
}

TEST_F(AnthropicClientTest, MarksAnswersCutOffByTheTokenLimit) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response,
                             AskWhenAnswered(200, R"({"content":[],"stop_reason":"max_tokens"})"));
  EXPECT_TRUE(response.truncated);
}

TEST_F(AnthropicClientTest, AnswersOutsideTheContractMayBeAskedAgain) {
  for (const char* body :
       {"", "{", "{}", R"({"content":"x"})", R"({"content":[]})", R"({"content":[7]})"}) {
    const absl::StatusOr<ModelResponse> answer = AskWhenAnswered(200, body);
    EXPECT_THAT(answer, HasReason("MODEL_UNREACHABLE")) << body;
    EXPECT_TRUE(IsRetriable(answer.status())) << body;
  }
}

TEST_F(AnthropicClientTest, OverloadMayBeAskedAgainAndRefusalNot) {
  const absl::StatusOr<ModelResponse> overloaded = AskWhenAnswered(
      529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
  EXPECT_TRUE(IsRetriable(overloaded.status()));
  const absl::StatusOr<ModelResponse> refused =
      AskWhenAnswered(200, R"({"content":[],"stop_reason":"refusal"})");
  EXPECT_THAT(refused, HasReason("MODEL_REFUSED"));
  EXPECT_FALSE(IsRetriable(refused.status()));
}

TEST_F(AnthropicClientTest, ErrorsShowNoKey) {
  const absl::StatusOr<ModelResponse> answer =
      AskWhenAnswered(401, R"({"error":{"message":"invalid x-api-key hush-1234"}})");
  EXPECT_THAT(answer.status().ToString(), Not(HasSubstr("hush")));
}

TEST_F(AnthropicClientTest, BadSchemaIsNotSent) {
  ModelRequest request = Request();
  request.response_schema = "[]";
  EXPECT_THAT(Ask(request), HasFieldViolation("response_schema"));
  EXPECT_THAT(http_.requests(), SizeIs(0));
}

}  // namespace
}  // namespace assay::judge
