#include "services/judge/clients/provider_client.h"

#include <limits>
#include <string>

#include "services/judge/clients/openai_wire.h"
#include "services/judge/clients/wire_fixture.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::IsNull;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kGood[] = R"({"choices":[{"message":{"content":"{}"}}]})";

class ProviderClientTest : public WireTest {
 protected:
  ProviderClientTest() {
    ProviderOptions options = OptionsWithKey("openai:/");
    options.default_model = "usual";
    options.timeout = absl::Seconds(9);
    options.max_response_bytes = 4096;
    options.headers = {{"X-Team", "quiet-please"}};
    options.schema_with_tools = true;
    Use(std::move(options),
        std::make_unique<OpenAiWire>(OpenAiWire::Options{.uri_prefix = "openai:/"}));
  }
  static ModelRequest Request() {
    return {.model_uri = "openai:/gpt-x",
            .messages = {{ChatRole::kUser, "hi"}},
            .response_schema = kVerdictSchema,
            .parameters = {{"max_tokens", 9}},
            .idempotency_key = "key-1"};
  }
};

TEST_F(ProviderClientTest, SendsWhatTheOptionsSay) {
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  const http::HttpRequest request = http_.requests()[0];
  EXPECT_EQ(request.timeout, absl::Seconds(9));
  EXPECT_EQ(request.max_response_bytes, 4096u);
  EXPECT_EQ(SentHeader("X-Team"), "quiet-please");
  EXPECT_THAT(request.aws, IsNull());
  ModelRequest unnamed = Request();
  unnamed.model_uri = "openai:/";
  ASSERT_OK(AskWhenAnswered(unnamed, 200, kGood));
  EXPECT_EQ(Sent("model"), "usual");
}

TEST_F(ProviderClientTest, RemembersAModelWithoutStructuredOutput) {
  http_.Enqueue(
      400, R"({"error":{"message":"'response_format' of type json_schema is not supported"}})");
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_THAT(http_.requests(), SizeIs(2));
  EXPECT_EQ(Sent("response_format"), "(none)");
  EXPECT_THAT(Sent("messages[0].content"), HasSubstr(kVerdictSchema));
  EXPECT_EQ(SentHeader("idempotency-key"), "key-1-text");
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_THAT(http_.requests(), SizeIs(3));
  EXPECT_EQ(Sent("response_format"), "(none)");
  ModelRequest other = Request();
  other.model_uri = "openai:/other";
  ASSERT_OK(AskWhenAnswered(other, 200, kGood));
  EXPECT_EQ(Sent("response_format.type"), "json_schema");
}

TEST_F(ProviderClientTest, RemembersThatAModelTakesNoSchemaWithTools) {
  ModelRequest request = WithTools("openai:/gpt-x");
  request.response_schema = kVerdictSchema;
  EXPECT_TRUE(client_->Traits("openai:/gpt-x").schema_with_tools);
  http_.Enqueue(400, R"({"error":{"message":"json_schema cannot be combined with tools"}})");
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_THAT(http_.requests(), SizeIs(2));
  EXPECT_EQ(Sent("response_format"), "(none)");
  EXPECT_THAT(Sent("messages[0].content"), HasSubstr(kVerdictSchema));
  EXPECT_FALSE(client_->Traits("openai:/gpt-x").schema_with_tools);
  EXPECT_TRUE(client_->Traits("openai:/other").schema_with_tools);
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_THAT(http_.requests(), SizeIs(3));
  EXPECT_EQ(Sent("response_format"), "(none)");
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(Sent("response_format.type"), "json_schema") << "without tools it may";
}

TEST_F(ProviderClientTest, KnowsAndLearnsHowMuchAModelTakes) {
  EXPECT_EQ(client_->Traits("openai:/gpt-4o").max_input_tokens, 128'000);
  EXPECT_EQ(client_->Traits("openai:/gpt-x").max_input_tokens, 0);
  const std::string refusal =
      R"({"error":{"code":"context_length_exceeded","message":"maximum context length is 4096"}})";
  EXPECT_THAT(AskWhenAnswered(Request(), 400, refusal), HasReason("MODEL_CONTEXT_OVERFLOW"));
  EXPECT_EQ(client_->Traits("openai:/gpt-x").max_input_tokens, 4096);
  EXPECT_EQ(client_->Traits("openai:/gpt-4o").max_input_tokens, 128'000);
}

TEST_F(ProviderClientTest, WhatIsConfiguredOutweighsTheModelsName) {
  ProviderOptions options = OptionsWithKey("openai:/");
  options.max_input_tokens = 32'000;
  Use(std::move(options),
      std::make_unique<OpenAiWire>(OpenAiWire::Options{.uri_prefix = "openai:/"}));
  EXPECT_EQ(client_->Traits("openai:/gpt-4o").max_input_tokens, 32'000);
  EXPECT_FALSE(client_->Traits("openai:/gpt-4o").schema_with_tools);
}

// Hands out one token after the other.
class CountingFetcher final : public CredentialFetcher {
 public:
  void Fetch(Done<Credential> done) override {
    std::move(done)(Credential{StrCat("hush-token-", ++count_), nullptr, absl::InfiniteFuture()});
  }

 private:
  int count_ = 0;
};

TEST_F(ProviderClientTest, SendsATokenThatWasAskedForAndAnotherOneOnceItIsRefused) {
  ProviderOptions options = OptionsWithKey("openai:/");
  options.key = nullptr;
  options.tokens =
      std::make_shared<TokenSource>(std::make_unique<CountingFetcher>(), &executor_, &clock_);
  Use(std::move(options),
      std::make_unique<OpenAiWire>(OpenAiWire::Options{.uri_prefix = "openai:/"}));
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(SentHeader("Authorization"), "Bearer hush-token-1");
  const absl::Status refused =
      AskWhenAnswered(Request(), 401, R"({"error":{"message":"bad hush-token-1"}})").status();
  EXPECT_THAT(refused, HasReason("MODEL_UNAUTHORIZED"));
  EXPECT_THAT(refused.ToString(), Not(HasSubstr("hush")));
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(SentHeader("Authorization"), "Bearer hush-token-2");
}

TEST_F(ProviderClientTest, ARefusedSchemaSaysNothingAboutTheModel) {
  http_.Enqueue(400, R"({"error":{"message":"Invalid schema for response_format 'verdict'"}})");
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(Sent("response_format"), "(none)");
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(Sent("response_format.type"), "json_schema");
}

TEST_F(ProviderClientTest, LearnsWhatAModelCallsItsTokenLimit) {
  http_.Enqueue(400, R"({"error":{"message":"Unsupported parameter: 'max_tokens'. Use )"
                     R"('max_completion_tokens' instead.","param":"max_tokens"}})");
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(Sent("max_completion_tokens"), "9");
  EXPECT_EQ(Sent("max_tokens"), "(none)");
  EXPECT_EQ(Sent("response_format.type"), "json_schema");
}

TEST_F(ProviderClientTest, SecondRefusalIsNotAskedAgain) {
  http_.Enqueue(400, "structured output is not supported");
  http_.Enqueue(400, "structured output is not supported");
  EXPECT_THAT(Ask(Request()), HasReason("MODEL_REFUSED"));
  EXPECT_THAT(http_.requests(), SizeIs(2));
}

TEST_F(ProviderClientTest, BadRequestsAreNotSent) {
  ModelRequest schema = Request();
  schema.response_schema = "{";
  EXPECT_THAT(Ask(schema), HasFieldViolation("response_schema"));
  schema.response_schema = "[]";
  EXPECT_THAT(Ask(schema), HasFieldViolation("response_schema"));
  ModelRequest parameter = Request();
  parameter.parameters["top_p"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Ask(parameter), HasFieldViolation("parameters.top_p"));
  ModelRequest tool = Request();
  tool.tools = {{"t", "d", "7"}};
  EXPECT_THAT(Ask(tool), HasFieldViolation("tools.parameters_schema"));
  EXPECT_THAT(http_.requests(), SizeIs(0));
}

TEST_F(ProviderClientTest, ErrorsShowNoSecret) {
  const absl::Status error =
      AskWhenAnswered(Request(), 401,
                      R"({"error":{"message":"Incorrect API key hush-1234 of quiet-please"}})")
          .status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(error, HasReason("MODEL_UNAUTHORIZED"));
  EXPECT_THAT(error.ToString(), Not(HasSubstr("hush")));
  EXPECT_THAT(error.ToString(), Not(HasSubstr("quiet")));
}

TEST_F(ProviderClientTest, AnswersAndErrorsTellTheLimits) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(Request(), 200, kGood, {{"x-ratelimit-remaining-requests", "59"}}));
  EXPECT_EQ(response.rate_hints.remaining_requests, 59);
  const absl::Status error = AskWhenAnswered(Request(), 429, "slow down",
                                             {{"retry-after-ms", "250"},
                                              {"x-ratelimit-remaining-tokens", "0"},
                                              {"x-ratelimit-reset-tokens", "6m0s"}})
                                 .status();
  EXPECT_EQ(RetryAfterOf(error), absl::Milliseconds(250));
  EXPECT_EQ(RateHintsOf(error).remaining_tokens, 0);
  EXPECT_EQ(RateHintsOf(error).remaining_requests, std::nullopt);
  EXPECT_EQ(RateHintsOf(error).tokens_reset, absl::Minutes(6));
  EXPECT_EQ(RateHintsOf(WithoutRetryMark(error)).remaining_tokens, std::nullopt);
}

TEST_F(ProviderClientTest, AnAnswerBeyondTheLimitIsFinalAndSaysSo) {
  http_.Enqueue(MakeError(absl::StatusCode::kResourceExhausted, "RESPONSE_TOO_LARGE",
                          "the answer of https://api.test is larger than 4096 bytes"));
  const absl::Status error = Ask(Request()).status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("4096 bytes")));
  EXPECT_THAT(error, HasReason("MODEL_ANSWER_TOO_LARGE"));
  EXPECT_FALSE(IsRetriable(error));
}

}  // namespace
}  // namespace assay::judge
