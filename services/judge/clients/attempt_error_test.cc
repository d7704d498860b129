#include "services/judge/clients/attempt_error.h"

#include <optional>
#include <string>

#include "common/status/status_matchers.h"

namespace assay::judge {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);  // Sun, 15 Jun 2025 15:06:40 GMT

http::HttpResponse Answer(int status, std::string body,
                          std::vector<http::HttpHeader> headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

std::optional<absl::Duration> After(const std::string& name, const std::string& value) {
  return RetryAfterHeader(Answer(429, "", {{name, value}}), kNow);
}

TEST(RetryAfterHeaderTest, ReadsSecondsMillisecondsAndDates) {
  EXPECT_THAT(After("Retry-After", "7"), Optional(absl::Seconds(7)));
  EXPECT_THAT(After("Retry-After", "0.5"), Optional(absl::Milliseconds(500)));
  EXPECT_THAT(After("retry-after-ms", "250"), Optional(absl::Milliseconds(250)));
  EXPECT_THAT(After("Retry-After", "Sun, 15 Jun 2025 15:06:52 GMT"), Optional(absl::Seconds(12)));
  EXPECT_THAT(After("Retry-After", "Sun, 15 Jun 2025 15:00:00 GMT"),
              Optional(absl::ZeroDuration()));
}

TEST(RetryAfterHeaderTest, IgnoresNonsense) {
  EXPECT_THAT(After("Retry-After", "soon"), Eq(std::nullopt));
  EXPECT_THAT(After("Retry-After", "-3"), Eq(std::nullopt));
  EXPECT_THAT(After("X-Other", "3"), Eq(std::nullopt));
}

TEST(AnswerErrorTest, MarksWhatMayPass) {
  for (int status : {408, 409, 424, 429, 500, 502, 503, 504, 529}) {
    const absl::Status error = AnswerError("openai:/", {}, Answer(status, "busy"), kNow);
    EXPECT_THAT(error, StatusIs(absl::StatusCode::kUnavailable)) << status;
    EXPECT_THAT(error, HasReason("MODEL_UNREACHABLE"));
    EXPECT_TRUE(IsRetriable(error)) << status;
    EXPECT_FALSE(IsRetriable(WithoutRetryMark(error)));
  }
}

TEST(AnswerErrorTest, OtherRefusalsAreFinal) {
  for (int status : {301, 400, 404, 422}) {
    const absl::Status error = AnswerError(
        "openai:/", {}, Answer(status, R"({"error":{"message":"no such model"}})"), kNow);
    EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no such model")));
    EXPECT_THAT(error, HasReason("MODEL_REFUSED"));
    EXPECT_FALSE(IsRetriable(error)) << status;
  }
}

TEST(AnswerErrorTest, EmptyAccountIsFinal) {
  const std::string openai = R"({"error":{"code":"insufficient_quota","message":"no money"}})";
  const std::string anthropic =
      R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}})";
  for (const auto& [status, body] : {std::pair(429, openai), std::pair(400, anthropic)}) {
    const absl::Status error = AnswerError("p:/", {}, Answer(status, body), kNow);
    EXPECT_THAT(error, StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_THAT(error, HasReason("MODEL_QUOTA_EXHAUSTED"));
    EXPECT_FALSE(IsRetriable(error));
  }
}

TEST(AnswerErrorTest, TellsThatTheKeyIsWrong) {
  for (int status : {401, 403}) {
    const absl::Status error =
        AnswerError("p:/", {}, Answer(status, R"({"error":{"message":"no"}})"), kNow);
    EXPECT_THAT(error, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(error, HasReason("MODEL_UNAUTHORIZED"));
    EXPECT_FALSE(IsRetriable(error));
  }
}

TEST(AnswerErrorTest, TellsThatThePromptIsTooLong) {
  const char* const messages[] = {
      R"({"error":{"code":"context_length_exceeded","message":"too much"}})",
      R"({"error":{"message":"This model's maximum context length is 8192 tokens."}})",
      R"({"error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8"}})",
      R"({"message":"Input is too long for requested model."})"};
  for (const char* body : messages) {
    const absl::Status error = AnswerError("p:/", {}, Answer(400, body), kNow);
    EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(error, HasReason("MODEL_CONTEXT_OVERFLOW")) << body;
  }
  EXPECT_THAT(AnswerError("p:/", {}, Answer(413, "large"), kNow),
              HasReason("MODEL_CONTEXT_OVERFLOW"));
  const absl::Status rate = AnswerError(
      "p:/", {},
      Answer(413, R"({"error":{"code":"rate_limit_exceeded","message":"tokens per minute"}})"),
      kNow);
  EXPECT_THAT(rate, HasReason("MODEL_UNREACHABLE"));
  EXPECT_TRUE(IsRetriable(rate));
}

TEST(AnswerErrorTest, QuotesNoKey) {
  const std::string body =
      R"({"error":{"message":"Incorrect API key provided: hush-1234, or sk-proj-abcdef123456."}})";
  const std::string text =
      AnswerError("openai:/", {"hush-1234"}, Answer(401, body), kNow).ToString();
  EXPECT_THAT(text, HasSubstr("Incorrect API key"));
  EXPECT_THAT(text, Not(HasSubstr("hush")));
  EXPECT_THAT(text, Not(HasSubstr("abcdef")));
}

TEST(AnswerErrorTest, QuotesLittleAndOnlyUtf8) {
  const absl::Status error =
      AnswerError("openai:/", {}, Answer(400, "\xff\xfe" + std::string(100'000, 'x')), kNow);
  EXPECT_LT(error.message().size(), 1000u);
}

TEST(TransportErrorTest, TellsTimeoutsFromTheRest) {
  const absl::Status late =
      TransportError("p:/", MakeError(absl::StatusCode::kDeadlineExceeded, "HTTP_TIMEOUT", "late"));
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(late, HasReason("MODEL_TIMEOUT"));
  EXPECT_TRUE(IsRetriable(late));
  const absl::Status reset =
      TransportError("p:/", MakeError(absl::StatusCode::kUnavailable, "CONNECTION_RESET", "gone"));
  EXPECT_THAT(reset, HasReason("MODEL_UNREACHABLE"));
  EXPECT_TRUE(IsRetriable(reset));
  const absl::Status inside = TransportError(
      "p:/", MakeError(absl::StatusCode::kFailedPrecondition, "PRIVATE_ADDRESS", "inside"));
  EXPECT_THAT(inside, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("--allow_private_endpoints")));
  EXPECT_THAT(inside, HasReason("MODEL_NOT_CONFIGURED"));
  EXPECT_FALSE(IsRetriable(inside));
  const absl::Status cancelled =
      TransportError("p:/", MakeError(absl::StatusCode::kCancelled, "CANCELLED", "stop"));
  EXPECT_THAT(cancelled, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(IsRetriable(cancelled));
}

}  // namespace
}  // namespace assay::judge
