#include "services/judge/clients/attempt_error.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

constexpr char kMark[] = "assay/retriable-attempt";
constexpr char kHints[] = "assay/rate-hints";
constexpr char kNoValue[] = "-";
constexpr size_t kMaxQuotedChars = 300;
constexpr size_t kShortestSecret = 6;  // Shorter ones, `true` in a header, are words of any text.
constexpr size_t kMaxReadChars = 4 * kMaxQuotedChars;

std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() >= kShortestSecret)
      text = absl::StrReplaceAll(text, {{secret, "[redacted]"}});
  }
  return text;
}

// Hides words that begin like a key of a known provider.
std::string WithoutKeyLikeWords(std::string text) {
  for (const std::string_view prefix :
       {"sk-", "AIza", "AKIA", "ASIA", "gsk_", "xai-", "dapi", "Bearer "}) {
    size_t at = 0;
    while ((at = text.find(prefix, at)) != std::string::npos) {
      const size_t end = text.find_first_of(" \t\r\n\"'`,;)}]", at + prefix.size());
      const size_t size = (end == std::string::npos ? text.size() : end) - at;
      if (size > prefix.size() + 5) text.replace(at, size, "[redacted]");
      at += 3;
    }
  }
  return text;
}

std::string MemberText(const json::Node* node, std::string_view name) {
  const json::Node* member = node == nullptr ? nullptr : node->Find(name);
  if (member == nullptr) return "";
  return member->is_number() ? member->text : std::string(member->AsString().value_or(""));
}

// Google's details: why, how long to wait, and which quota is used up.
void ReadDetails(const json::Node& details, ProviderError* error) {
  for (const json::Node& detail : details.children) {
    const std::string reason = MemberText(&detail, "reason");
    if (!reason.empty()) error->code = reason;
    absl::Duration delay;
    const std::string retry = MemberText(&detail, "retryDelay");
    if (!retry.empty() && absl::ParseDuration(retry, &delay) && delay >= absl::ZeroDuration()) {
      error->retry_after = delay;
    }
    const json::Node* violations = detail.Find("violations");
    if (violations == nullptr) continue;
    for (const json::Node& violation : violations->children) {
      error->per_day |= absl::StrContains(MemberText(&violation, "quotaId"), "PerDay");
    }
  }
}

bool ContainsAny(std::string_view text, std::initializer_list<std::string_view> needles) {
  return std::any_of(needles.begin(), needles.end(), [&](std::string_view needle) {
    return text.find(needle) != std::string_view::npos;
  });
}

bool IsOneOf(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool IsOutOfQuota(int status, const ProviderError& error) {
  static constexpr auto kWords = {"insufficient_quota", "billing_hard_limit_reached",
                                  "billing_not_active", "billing_error",
                                  "ServiceQuotaExceededException"};
  for (const char* word : kWords) {
    if (error.code == word || error.type == word) return true;
  }
  return status == 402 || (status == 429 && error.per_day) ||
         absl::StrContains(error.message, "credit balance is too low");
}

bool IsUnauthorized(int status, const ProviderError& error) {
  return status == 401 || status == 403 || error.code == "API_KEY_INVALID";
}

// A 413 may also say that a request is larger than what may be asked in a minute.
bool IsRate(int status, const ProviderError& error) {
  return status == 429 || (status == 413 && (error.code == "rate_limit_exceeded" ||
                                             absl::StrContains(error.message, "per minute")));
}

bool IsContextOverflow(int status, const ProviderError& error) {
  if (status != 400 && status != 413 && status != 422) return false;
  if (status == 413 || IsOneOf(error.code, {"context_length_exceeded", "string_above_max_length",
                                            "exceed_context_size_error"})) {
    return true;
  }
  const std::string lower = absl::AsciiStrToLower(error.message);
  return ContainsAny(lower,
                     {"context length", "context window", "context size", "context_length_exceeded",
                      "prompt is too long", "maximum prompt length", "input is too long",
                      "exceeds the maximum number of tokens", "too many input tokens",
                      "input length and `max_tokens` exceed", "exceeds the model's maximum"});
}

bool IsTransient(int status, const ProviderError& error) {
  return status == 408 || status == 409 || status == 424 || status >= 500 || IsRate(status, error);
}

std::string NumberOr(const std::optional<int64_t>& number) {
  return number.has_value() ? StrCat(*number) : std::string(kNoValue);
}

}  // namespace

absl::Status MarkRetriable(absl::Status error, std::optional<absl::Duration> retry_after) {
  error.SetPayload(
      kMark, absl::Cord(retry_after.has_value() ? StrCat(absl::ToInt64Milliseconds(*retry_after))
                                                : std::string(kNoValue)));
  return error;
}

bool IsRetriable(const absl::Status& error) { return error.GetPayload(kMark).has_value(); }

std::optional<absl::Duration> RetryAfterOf(const absl::Status& error) {
  const auto mark = error.GetPayload(kMark);
  int64_t milliseconds = 0;
  if (!mark.has_value() || !absl::SimpleAtoi(std::string(*mark), &milliseconds)) return {};
  return absl::Milliseconds(milliseconds);
}

absl::Status WithRateHints(absl::Status error, const RateHints& hints) {
  if (!hints.remaining_requests.has_value() && !hints.remaining_tokens.has_value()) return error;
  error.SetPayload(kHints, absl::Cord(StrCat(NumberOr(hints.remaining_requests), " ",
                                             NumberOr(hints.remaining_tokens), " ",
                                             absl::ToInt64Milliseconds(hints.requests_reset), " ",
                                             absl::ToInt64Milliseconds(hints.tokens_reset))));
  return error;
}

RateHints RateHintsOf(const absl::Status& error) {
  RateHints hints;
  const auto payload = error.GetPayload(kHints);
  if (!payload.has_value()) return hints;
  const std::vector<std::string> parts = absl::StrSplit(std::string(*payload), ' ');
  if (parts.size() != 4) return hints;
  auto number = [&parts](size_t at) {
    int64_t value = 0;
    return absl::SimpleAtoi(parts[at], &value) ? std::optional<int64_t>(value) : std::nullopt;
  };
  hints.remaining_requests = number(0);
  hints.remaining_tokens = number(1);
  hints.requests_reset = absl::Milliseconds(number(2).value_or(0));
  hints.tokens_reset = absl::Milliseconds(number(3).value_or(0));
  return hints;
}

absl::Status WithoutRetryMark(absl::Status error) {
  error.ErasePayload(kMark);
  error.ErasePayload(kHints);
  return error;
}

ProviderError ReadProviderError(const http::HttpResponse& answer) {
  ProviderError error;
  absl::StatusOr<json::Node> root = json::ParseJson(answer.body);
  const json::Node* node = root.ok() ? &*root : nullptr;
  // Google's stands in a list where a stream was asked for.
  if (node != nullptr && node->is_array() && !node->children.empty()) node = &node->children[0];
  const json::Node* inner = node == nullptr ? nullptr : node->Find("error");
  if (inner != nullptr && inner->is_string()) {
    error.message = inner->text;
  } else if (inner != nullptr) {
    node = inner;
  }
  error.type = MemberText(node, "type");
  if (error.type.empty()) error.type = MemberText(node, "status");
  error.code = MemberText(node, "code");
  if (error.code.empty()) error.code = MemberText(node, "error_code");  // Databricks.
  error.param = MemberText(node, "param");
  if (error.message.empty()) error.message = MemberText(node, "message");
  const json::Node* details = node == nullptr ? nullptr : node->Find("details");
  if (details != nullptr && details->is_array()) ReadDetails(*details, &error);
  if (const std::string* type = http::FindHeader(answer.headers, "x-amzn-errortype")) {
    error.type = type->substr(0, type->find(':'));
  }
  if (error.message.empty()) error.message = answer.body.substr(0, kMaxReadChars);
  return error;
}

absl::Status TransportError(std::string_view provider, const absl::Status& error) {
  if (error.code() == absl::StatusCode::kCancelled) return error;
  const std::string reason = ErrorReason(error);
  const std::string message = StrCat(provider, ": ", ToStd(error.message()));
  if (reason == "INVALID_HTTP_REQUEST") {
    return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED", message);
  }
  if (reason == "PRIVATE_ADDRESS") {
    return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED",
                     StrCat(message,
                            "; write the address itself instead of a name, give the "
                            "endpoint private=true, or set --allow_private_endpoints of "
                            "the judge service"));
  }
  if (reason == "RESPONSE_TOO_LARGE") {
    return MakeError(absl::StatusCode::kResourceExhausted, "MODEL_ANSWER_TOO_LARGE", message);
  }
  if (reason == "HTTP_TIMEOUT") {
    return MarkRetriable(MakeError(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT", message));
  }
  return MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", message));
}

absl::Status AnswerError(std::string_view provider, const std::vector<std::string>& secrets,
                         const http::HttpResponse& answer, absl::Time now) {
  // Before anything is cut off, so that no half of a key is left; and again, as JSON may have
  // escaped it.
  ProviderError error =
      ReadProviderError({answer.status, answer.headers, WithoutSecrets(answer.body, secrets)});
  error.message = WithoutKeyLikeWords(WithoutSecrets(std::move(error.message), secrets));
  const std::string status = StrCat(answer.status);
  const std::string message =
      StrCat(provider, " answered ", status, ": ",
             json::PreviewOf(json::SanitizeUtf8(error.message), kMaxQuotedChars));
  auto made = [&](absl::StatusCode code, std::string_view reason) {
    return MakeError(code, reason, message, {{"http_status", status}});
  };
  if (IsOutOfQuota(answer.status, error)) {
    return made(absl::StatusCode::kResourceExhausted, "MODEL_QUOTA_EXHAUSTED");
  }
  if (IsTransient(answer.status, error)) {
    const std::optional<absl::Duration> header = RetryAfterHeader(answer, now);
    return WithRateHints(MarkRetriable(made(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE"),
                                       header.has_value() ? header : error.retry_after),
                         ReadRateHints(answer.headers, now));
  }
  if (IsUnauthorized(answer.status, error)) {
    return made(absl::StatusCode::kFailedPrecondition, "MODEL_UNAUTHORIZED");
  }
  if (IsContextOverflow(answer.status, error)) {
    return made(absl::StatusCode::kInvalidArgument, "MODEL_CONTEXT_OVERFLOW");
  }
  return made(absl::StatusCode::kInvalidArgument, "MODEL_REFUSED");
}

absl::Status UnreadableAnswer(std::string_view provider, std::string_view what) {
  return MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE",
                                 StrCat(provider, " answered with ", what)));
}

absl::Status RefusedAnswer(std::string_view provider, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_REFUSED",
                   StrCat(provider, " ", json::PreviewOf(what, kMaxQuotedChars)));
}

}  // namespace assay::judge
