#include "services/judge/clients/rate_headers.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/numbers.h"

namespace assay::judge {
namespace {

constexpr absl::Duration kLongestReset = absl::Hours(24);

using Headers = std::vector<http::HttpHeader>;

std::optional<int64_t> CountIn(const Headers& headers, const std::string& name) {
  const std::string* text = http::FindHeader(headers, name);
  double number = 0;
  if (text == nullptr || !absl::SimpleAtod(*text, &number) || !(number >= 0) || number > 1e15) {
    return std::nullopt;
  }
  return static_cast<int64_t>(number);
}

// "1s", "6m0s", "120ms", plain seconds, or a date of RFC 3339.
absl::Duration ResetIn(const Headers& headers, const std::string& name, absl::Time now) {
  const std::string* text = http::FindHeader(headers, name);
  if (text == nullptr) return absl::ZeroDuration();
  absl::Duration duration;
  double seconds = 0;
  absl::Time date;
  if (absl::SimpleAtod(*text, &seconds)) {
    duration = std::isfinite(seconds) ? absl::Seconds(seconds) : absl::ZeroDuration();
  } else if (!absl::ParseDuration(*text, &duration)) {
    if (!absl::ParseTime(absl::RFC3339_full, *text, &date, nullptr)) return absl::ZeroDuration();
    duration = date - now;
  }
  return std::clamp(duration, absl::ZeroDuration(), kLongestReset);
}

std::optional<int64_t> Least(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a.has_value()) return b;
  return b.has_value() ? std::min(*a, *b) : a;
}

RateHints AnthropicHints(const Headers& headers, absl::Time now) {
  RateHints hints;
  hints.remaining_requests = CountIn(headers, "anthropic-ratelimit-requests-remaining");
  hints.requests_reset = ResetIn(headers, "anthropic-ratelimit-requests-reset", now);
  for (const char* kind : {"tokens", "input-tokens", "output-tokens"}) {
    const std::string prefix = std::string("anthropic-ratelimit-") + kind;
    const std::optional<int64_t> left = CountIn(headers, prefix + "-remaining");
    if (!left.has_value()) continue;
    hints.remaining_tokens = Least(hints.remaining_tokens, left);
    hints.tokens_reset = std::max(hints.tokens_reset, ResetIn(headers, prefix + "-reset", now));
  }
  return hints;
}

}  // namespace

RateHints ReadRateHints(const std::vector<http::HttpHeader>& headers, absl::Time now) {
  RateHints hints = AnthropicHints(headers, now);
  if (hints.remaining_requests.has_value() || hints.remaining_tokens.has_value()) return hints;
  hints.remaining_requests = CountIn(headers, "x-ratelimit-remaining-requests");
  hints.remaining_tokens = CountIn(headers, "x-ratelimit-remaining-tokens");
  hints.requests_reset = ResetIn(headers, "x-ratelimit-reset-requests", now);
  hints.tokens_reset = ResetIn(headers, "x-ratelimit-reset-tokens", now);
  return hints;
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

}  // namespace assay::judge
