#include "services/judge/clients/openai_client.h"

#include <limits>
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
using ::testing::IsNull;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kSchema[] = R"({"type":"object","properties":{"result":{"type":"boolean"}}})";
constexpr char kGood[] =
    R"({"model":"gpt-x-2025","choices":[{"message":{"role":"assistant","content":"{\"result\":true}"},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":3}})";

class OpenAiClientTest : public testing::Test {
 protected:
  ModelRequest Request() {
    return {.model_uri = "openai:/gpt-x",
            .messages = {{ChatRole::kSystem, "Be fair."}, {ChatRole::kUser, "Say \"yes\"\n"}},
            .response_schema = kSchema,
            .schema_name = "verdict",
            .parameters = {{"temperature", 0.1}, {"max_tokens", 100}, {"seed", 7}},
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
  std::string Sent(size_t index, const std::string& path) {
    const std::vector<http::HttpRequest> requests = http_.requests();
    if (index >= requests.size()) return "no such request";
    auto text = json::JsonPathText(requests[index].body, path);
    return text.ok() ? text->value_or("(none)") : text.status().ToString();
  }

  InlineExecutor executor_;
  FakeClock clock_;
  http::FakeHttpClient http_{&executor_};
  OpenAiClient client_{{.uri_prefix = "openai:/",
                        .base_url = "https://api.test/v1",
                        .api_key = "hush-1234",
                        .timeout = absl::Seconds(9),
                        .max_completion_tokens = true},
                       {&http_, &executor_, &clock_}};
};

TEST_F(OpenAiClientTest, SendsTheConversationAndTheSchema) {
  ASSERT_OK(AskWhenAnswered(200, kGood));
  ASSERT_THAT(http_.requests(), SizeIs(1));
  const http::HttpRequest request = http_.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://api.test/v1/chat/completions");
  EXPECT_EQ(request.timeout, absl::Seconds(9));
  EXPECT_EQ(*http::FindHeader(request.headers, "authorization"), "Bearer hush-1234");
  EXPECT_EQ(*http::FindHeader(request.headers, "idempotency-key"), "key-1");
  EXPECT_EQ(Sent(0, "model"), "gpt-x");
  EXPECT_EQ(Sent(0, "messages[0].role"), "system");
  EXPECT_EQ(Sent(0, "messages[1].role"), "user");
  EXPECT_EQ(Sent(0, "messages[1].content"), "Say \"yes\"\n");
  EXPECT_EQ(Sent(0, "response_format.type"), "json_schema");
  EXPECT_EQ(Sent(0, "response_format.json_schema.name"), "verdict");
  EXPECT_EQ(Sent(0, "response_format.json_schema.strict"), "true");
  EXPECT_EQ(Sent(0, "response_format.json_schema.schema"), kSchema);
  EXPECT_EQ(Sent(0, "temperature"), "0.1");
  EXPECT_EQ(Sent(0, "seed"), "7");
  EXPECT_EQ(Sent(0, "max_completion_tokens"), "100");
  EXPECT_EQ(Sent(0, "max_tokens"), "(none)");
}

TEST_F(OpenAiClientTest, SendsNoSchemaNorKeysThatWereNotGiven) {
  OpenAiClient open(
      {.uri_prefix = "endpoints:/local", .base_url = "http://h/v1", .default_model = "llama"},
      {&http_, &executor_, &clock_});
  http_.Enqueue(200, kGood);
  ModelAnswer answer;
  open.Complete({.model_uri = "endpoints:/local",
                 .messages = {{ChatRole::kUser, "hi"}},
                 .parameters = {{"max_tokens", 5}}},
                {}, answer.Taker());
  ASSERT_OK(*answer);
  EXPECT_EQ(Sent(0, "model"), "llama");
  EXPECT_EQ(Sent(0, "response_format"), "(none)");
  EXPECT_EQ(Sent(0, "max_tokens"), "5");
  EXPECT_THAT(http::FindHeader(http_.requests()[0].headers, "authorization"), IsNull());
  EXPECT_THAT(http::FindHeader(http_.requests()[0].headers, "idempotency-key"), IsNull());
}

TEST_F(OpenAiClientTest, ReadsTheAnswer) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, AskWhenAnswered(200, kGood));
  EXPECT_EQ(response.text, R"({"result":true})");
  EXPECT_EQ(response.answered_by, "gpt-x-2025");
  EXPECT_EQ(response.input_tokens, 12);
  EXPECT_EQ(response.output_tokens, 3);
  EXPECT_FALSE(response.truncated);
}

TEST_F(OpenAiClientTest, MarksAnswersCutOffByTheTokenLimit) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(
          200, R"({"choices":[{"message":{"content":"{\"res"},"finish_reason":"length"}]})"));
  EXPECT_TRUE(response.truncated);
  EXPECT_EQ(response.answered_by, "gpt-x");
}

TEST_F(OpenAiClientTest, RemembersAModelWithoutStructuredOutput) {
  http_.Enqueue(
      400, R"({"error":{"message":"'response_format' of type json_schema is not supported"}})");
  http_.Enqueue(200, kGood);
  http_.Enqueue(200, kGood);
  ASSERT_OK(Ask(Request()));
  ASSERT_OK(Ask(Request()));
  ASSERT_THAT(http_.requests(), SizeIs(3));
  EXPECT_EQ(Sent(1, "response_format"), "(none)");
  EXPECT_THAT(Sent(1, "messages[0].content"), HasSubstr(kSchema));
  EXPECT_EQ(*http::FindHeader(http_.requests()[1].headers, "idempotency-key"), "key-1-text");
  EXPECT_EQ(Sent(2, "response_format"), "(none)");
  http_.Enqueue(200, kGood);
  ModelRequest other = Request();
  other.model_uri = "openai:/other";
  ASSERT_OK(Ask(other));
  EXPECT_EQ(Sent(3, "response_format.type"), "json_schema");
}

TEST_F(OpenAiClientTest, SecondRefusalIsNotAskedAgain) {
  http_.Enqueue(400, "structured output is not supported");
  http_.Enqueue(400, "structured output is not supported");
  EXPECT_THAT(Ask(Request()), HasReason("MODEL_REFUSED"));
  EXPECT_THAT(http_.requests(), SizeIs(2));
}

TEST_F(OpenAiClientTest, AnswersOutsideTheContractMayBeAskedAgain) {
  for (const char* body :
       {"", "not json", R"({"choices":)", "[]", "{}", R"({"choices":[]})", R"({"choices":[{}]})",
        R"({"choices":[{"message":{"content":null}}]})",
        R"({"choices":[{"message":{"content":7}}]})", R"({"choices":{"message":1}})"}) {
    const absl::StatusOr<ModelResponse> answer = AskWhenAnswered(200, body);
    EXPECT_THAT(answer, HasReason("MODEL_UNREACHABLE")) << body;
    EXPECT_TRUE(IsRetriable(answer.status())) << body;
  }
}

TEST_F(OpenAiClientTest, RefusalIsFinal) {
  for (const char* body :
       {R"({"choices":[{"message":{"content":null,"refusal":"I will not"}}]})",
        R"({"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]})"}) {
    const absl::StatusOr<ModelResponse> answer = AskWhenAnswered(200, body);
    EXPECT_THAT(answer, HasReason("MODEL_REFUSED"));
    EXPECT_FALSE(IsRetriable(answer.status()));
  }
}

TEST_F(OpenAiClientTest, BadRequestsAreNotSent) {
  ModelRequest schema = Request();
  schema.response_schema = "{";
  EXPECT_THAT(Ask(schema), HasFieldViolation("response_schema"));
  ModelRequest parameter = Request();
  parameter.parameters["top_p"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Ask(parameter), HasFieldViolation("parameters.top_p"));
  EXPECT_THAT(http_.requests(), SizeIs(0));
}

TEST_F(OpenAiClientTest, ErrorsShowNoKey) {
  const absl::StatusOr<ModelResponse> answer =
      AskWhenAnswered(401, R"({"error":{"message":"Incorrect API key provided: hush-1234"}})");
  EXPECT_THAT(answer, HasReason("MODEL_REFUSED"));
  EXPECT_THAT(answer.status().ToString(), Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace assay::judge
