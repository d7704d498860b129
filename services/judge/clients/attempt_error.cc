#include "services/judge/clients/attempt_error.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

constexpr char kMark[] = "assay/retriable-attempt";
constexpr char kNoDelay[] = "-";
constexpr size_t kMaxQuotedChars = 300;

std::string WithoutKey(std::string text, const std::string& api_key) {
  return api_key.empty() ? text : absl::StrReplaceAll(text, {{api_key, "[redacted]"}});
}

// Hides words that begin like a key ("sk-...").
std::string WithoutKeyLikeWords(std::string text) {
  size_t at = 0;
  while ((at = text.find("sk-", at)) != std::string::npos) {
    const size_t end = text.find_first_of(" \t\r\n\"'`,;)}]", at);
    const size_t size = (end == std::string::npos ? text.size() : end) - at;
    if (size > 8) text.replace(at, size, "[redacted]");
    at += 3;
  }
  return text;
}

struct ProviderError {
  std::string type;
  std::string code;
  std::string message;
};

// OpenAI's and Anthropic's error objects, {"error": {"type", "code", "message"}}; else the text
// itself.
ProviderError ReadProviderError(const std::string& body) {
  ProviderError error;
  const absl::StatusOr<json::Node> root = json::ParseJson(body);
  const json::Node* node = root.ok() ? root->Find("error") : nullptr;
  auto text = [&](const char* name) {
    const json::Node* member = node == nullptr ? nullptr : node->Find(name);
    return std::string(member == nullptr ? "" : member->AsString().value_or(""));
  };
  error.type = text("type");
  error.code = text("code");
  error.message = text("message");
  if (node != nullptr && node->is_string()) error.message = node->text;
  if (error.message.empty()) error.message = body.substr(0, 4 * kMaxQuotedChars);
  return error;
}

bool IsOutOfQuota(int status, const ProviderError& error) {
  return (status == 429 &&
          (error.code == "insufficient_quota" || error.type == "insufficient_quota")) ||
         status == 402 || absl::StrContains(error.message, "credit balance is too low");
}

bool IsRetriableStatus(int status) {
  return status == 408 || status == 409 || status == 429 || status >= 500;
}

}  // namespace

absl::Status MarkRetriable(absl::Status error, std::optional<absl::Duration> retry_after) {
  error.SetPayload(
      kMark, absl::Cord(retry_after.has_value() ? StrCat(absl::ToInt64Milliseconds(*retry_after))
                                                : std::string(kNoDelay)));
  return error;
}

bool IsRetriable(const absl::Status& error) { return error.GetPayload(kMark).has_value(); }

std::optional<absl::Duration> RetryAfterOf(const absl::Status& error) {
  const auto mark = error.GetPayload(kMark);
  int64_t milliseconds = 0;
  if (!mark.has_value() || !absl::SimpleAtoi(std::string(*mark), &milliseconds)) return {};
  return absl::Milliseconds(milliseconds);
}

absl::Status WithoutRetryMark(absl::Status error) {
  error.ErasePayload(kMark);
  return error;
}

std::optional<absl::Duration> RetryAfterHeader(const http::HttpResponse& answer, absl::Time now) {
  double number = 0;
  if (const std::string* text = http::FindHeader(answer.headers, "retry-after-ms");
      text != nullptr && absl::SimpleAtod(*text, &number) && number >= 0) {
    return absl::Milliseconds(number);
  }
  const std::string* text = http::FindHeader(answer.headers, "retry-after");
  if (text == nullptr) return {};
  if (absl::SimpleAtod(*text, &number)) {
    if (number >= 0) return absl::Seconds(number);
    return {};
  }
  absl::Time date;
  if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", *text, &date, nullptr)) {
    return std::max(date - now, absl::ZeroDuration());
  }
  return {};
}

absl::Status TransportError(std::string_view provider, const absl::Status& error) {
  if (error.code() == absl::StatusCode::kCancelled) return error;
  const std::string reason = ErrorReason(error);
  const std::string message = StrCat(provider, ": ", ToStd(error.message()));
  if (reason == "INVALID_HTTP_REQUEST") {
    return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED", message);
  }
  if (reason == "HTTP_TIMEOUT") {
    return MarkRetriable(MakeError(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT", message));
  }
  return MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", message));
}

absl::Status AnswerError(std::string_view provider, const std::string& api_key,
                         const http::HttpResponse& answer, absl::Time now) {
  // Before anything is cut off, so that no half of a key is left; and again, as JSON may have
  // escaped it.
  ProviderError error = ReadProviderError(WithoutKey(answer.body, api_key));
  error.message = WithoutKeyLikeWords(WithoutKey(std::move(error.message), api_key));
  const std::string status = StrCat(answer.status);
  const std::string message =
      StrCat(provider, " answered ", status, ": ",
             json::PreviewOf(json::SanitizeUtf8(error.message), kMaxQuotedChars));
  if (IsOutOfQuota(answer.status, error)) {
    return MakeError(absl::StatusCode::kResourceExhausted, "MODEL_QUOTA_EXHAUSTED", message,
                     {{"http_status", status}});
  }
  if (IsRetriableStatus(answer.status)) {
    return MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", message,
                                   {{"http_status", status}}),
                         RetryAfterHeader(answer, now));
  }
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_REFUSED", message,
                   {{"http_status", status}});
}

absl::Status UnreadableAnswer(std::string_view provider, std::string_view what) {
  return MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE",
                                 StrCat(provider, " answered with ", what)));
}

}  // namespace assay::judge
