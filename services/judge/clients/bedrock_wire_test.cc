#include "services/judge/clients/bedrock_wire.h"

#include <string>

#include "services/judge/clients/wire_fixture.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kGood[] =
    R"({"output":{"message":{"role":"assistant","content":[{"text":"I think."},{"toolUse":{)"
    R"("toolUseId":"t","name":"record_verdict","input":{"result":true}}}]}},"stopReason":)"
    R"("tool_use","usage":{"inputTokens":10,"outputTokens":3,"cacheReadInputTokens":4,)"
    R"("cacheWriteInputTokens":2}})";

class BedrockWireTest : public WireTest {
 protected:
  BedrockWireTest() {
    ProviderOptions options = {.uri_prefix = "bedrock:/", .base_url = "https://bedrock.test"};
    options.aws = std::make_shared<const http::AwsSigning>(
        http::AwsSigning{"us-east-1", "bedrock", "AKID", "hush-secret", "hush-token"});
    Use(std::move(options), std::make_unique<BedrockWire>("bedrock:/"));
  }
  static ModelRequest Request() {
    return {.model_uri = "bedrock:/anthropic.claude-v1:0",
            .messages = {{ChatRole::kSystem, "Be fair."},
                         {ChatRole::kUser, "one"},
                         {ChatRole::kUser, "two"}},
            .response_schema = kVerdictSchema,
            .parameters = {{"temperature", 0.5}, {"top_p", 1}, {"max_tokens", 9}},
            .idempotency_key = "key-1"};
  }
};

TEST_F(BedrockWireTest, ConversesAndForcesTheVerdictTool) {
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(http_.requests()[0].url, "https://bedrock.test/model/anthropic.claude-v1%3A0/converse");
  EXPECT_EQ(SentHeader("idempotency-key"), "(none)");
  ASSERT_NE(http_.requests()[0].aws, nullptr);
  EXPECT_EQ(http_.requests()[0].aws->session_token, "hush-token");
  EXPECT_EQ(
      http_.requests()[0].body,
      StrCat(R"({"messages":[{"role":"user","content":[{"text":"one"},{"text":"two"}]}],"system":[)"
             R"({"text":"Be fair."}],"inferenceConfig":{"maxTokens":9,"temperature":0.5,"topP":1},)"
             R"("toolConfig":{"tools":[{"toolSpec":{"name":"record_verdict","description":)"
             R"("Records the answer. Its input is the whole answer.","inputSchema":{"json":)",
             kVerdictSchema, R"(}}}],"toolChoice":{"tool":{"name":"record_verdict"}}}})"));
}

TEST_F(BedrockWireTest, ReadsTheToolsInput) {
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(response.text, R"({"result":true})");
  EXPECT_EQ(response.answered_by, "anthropic.claude-v1:0");
  EXPECT_EQ(response.input_tokens, 16);
  EXPECT_EQ(response.cached_input_tokens, 4);
  EXPECT_EQ(response.output_tokens, 3);
}

TEST_F(BedrockWireTest, RefusesASeedRatherThanDroppingIt) {
  ModelRequest request = Request();
  request.parameters["seed"] = 7;
  EXPECT_THAT(Ask(request), HasReason("INVALID_INFERENCE_PARAMETER"));
}

TEST_F(BedrockWireTest, SaysToolsTheirCallsAndTheirResults) {
  ModelRequest request = WithTools("bedrock:/m");
  request.response_schema = kVerdictSchema;
  ASSERT_OK(AskWhenAnswered(request, 200, kGood));
  EXPECT_EQ(Sent("messages[1]"),
            R"({"role":"assistant","content":[{"text":"I look."},{"toolUse":{"toolUseId":"id-1",)"
            R"("name":"list_spans","input":{"page":1}}},{"toolUse":{"toolUseId":"id-2","name":)"
            R"("get_span","input":{}}}]})");
  EXPECT_EQ(Sent("messages[2]"),
            R"({"role":"user","content":[{"toolResult":{"toolUseId":"id-1","content":[{"text":)"
            R"("3 spans"}]}},{"toolResult":{"toolUseId":"id-2","content":[{"text":"none"}]}}]})");
  EXPECT_EQ(Sent("toolConfig.toolChoice"), R"({"any":{}})");
}

TEST_F(BedrockWireTest, ReadsToolCalls) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      ModelResponse response,
      AskWhenAnswered(WithTools("bedrock:/m"), 200,
                      R"({"output":{"message":{"content":[{"toolUse":{"toolUseId":"u","name":)"
                      R"("list_spans","input":{"page":2}}}]}},"stopReason":"tool_use"})"));
  ASSERT_THAT(response.tool_calls, SizeIs(1));
  EXPECT_EQ(response.tool_calls[0].id, "u");
  EXPECT_EQ(response.tool_calls[0].arguments, R"({"page":2})");
}

TEST_F(BedrockWireTest, RemembersAModelWithoutTools) {
  http_.Enqueue(400, R"({"message":"This model doesn't support tool use."})",
                {{"x-amzn-ErrorType", "ValidationException"}});
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(Sent("toolConfig"), "(none)");
  EXPECT_THAT(Sent("system"), HasSubstr("JSON Schema"));
  ASSERT_OK(AskWhenAnswered(Request(), 200, kGood));
  EXPECT_EQ(Sent("toolConfig"), "(none)");
  EXPECT_THAT(http_.requests(), SizeIs(3));
}

TEST_F(BedrockWireTest, ErrorsTellWhatAmazonMeans) {
  auto reason = [&](int status, const std::string& type, const std::string& message) {
    const absl::Status error =
        AskWhenAnswered(Request(), status, StrCat(R"({"message":")", message, R"("})"),
                        {{"x-amzn-ErrorType", type}})
            .status();
    EXPECT_THAT(error.ToString(), Not(HasSubstr("hush")));
    return StrCat(ErrorReason(error), IsRetriable(error) ? " again" : "");
  };
  EXPECT_EQ(reason(429, "ThrottlingException", "Too many requests"), "MODEL_UNREACHABLE again");
  EXPECT_EQ(reason(503, "ServiceUnavailableException", "x"), "MODEL_UNREACHABLE again");
  EXPECT_EQ(reason(424, "ModelErrorException", "x"), "MODEL_UNREACHABLE again");
  EXPECT_EQ(reason(403, "ExpiredTokenException", "token hush-token"), "MODEL_UNAUTHORIZED");
  EXPECT_EQ(reason(403, "InvalidSignatureException", "hush-secret"), "MODEL_UNAUTHORIZED");
  EXPECT_EQ(reason(400, "ValidationException", "Input is too long for requested model."),
            "MODEL_CONTEXT_OVERFLOW");
  EXPECT_EQ(reason(400, "ServiceQuotaExceededException", "x"), "MODEL_QUOTA_EXHAUSTED");
  EXPECT_EQ(reason(404, "ResourceNotFoundException", "no such model"), "MODEL_REFUSED");
}

TEST_F(BedrockWireTest, GuardrailsAreFinalAndOddAnswersNot) {
  EXPECT_THAT(AskWhenAnswered(Request(), 200,
                              R"({"output":{"message":{"content":[{"text":"no"}]}},"stopReason":)"
                              R"("guardrail_intervened"})"),
              HasReason("MODEL_REFUSED"));
  for (const char* body : {"", "{}", R"({"output":{"message":{"content":7}}})",
                           R"({"output":{"message":{"content":[{}]}}})"}) {
    EXPECT_TRUE(IsRetriable(AskWhenAnswered(Request(), 200, body).status())) << body;
  }
}

}  // namespace
}  // namespace assay::judge
