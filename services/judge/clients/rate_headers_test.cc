#include "services/judge/clients/rate_headers.h"

#include <gtest/gtest.h>

namespace assay::judge {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);  // 2025-06-15T15:06:40Z

TEST(ReadRateHintsTest, ReadsOpenAisHeaders) {
  const RateHints hints = ReadRateHints({{"X-RateLimit-Remaining-Requests", "59"},
                                         {"x-ratelimit-remaining-tokens", "149984"},
                                         {"x-ratelimit-reset-requests", "120ms"},
                                         {"x-ratelimit-reset-tokens", "6m0s"}},
                                        kNow);
  EXPECT_EQ(hints.remaining_requests, 59);
  EXPECT_EQ(hints.remaining_tokens, 149'984);
  EXPECT_EQ(hints.requests_reset, absl::Milliseconds(120));
  EXPECT_EQ(hints.tokens_reset, absl::Minutes(6));
}

TEST(ReadRateHintsTest, ReadsAnthropicsHeaders) {
  const RateHints hints =
      ReadRateHints({{"anthropic-ratelimit-requests-remaining", "49"},
                     {"anthropic-ratelimit-requests-reset", "2025-06-15T15:07:10Z"},
                     {"anthropic-ratelimit-input-tokens-remaining", "20000"},
                     {"anthropic-ratelimit-output-tokens-remaining", "500"},
                     {"anthropic-ratelimit-output-tokens-reset", "2025-06-15T15:06:45Z"}},
                    kNow);
  EXPECT_EQ(hints.remaining_requests, 49);
  EXPECT_EQ(hints.requests_reset, absl::Seconds(30));
  EXPECT_EQ(hints.remaining_tokens, 500);
  EXPECT_EQ(hints.tokens_reset, absl::Seconds(5));
}

TEST(ReadRateHintsTest, LeavesNonsenseOut) {
  const RateHints hints = ReadRateHints({{"x-ratelimit-remaining-requests", "many"},
                                         {"x-ratelimit-remaining-tokens", "-5"},
                                         {"x-ratelimit-reset-requests", "1e300"},
                                         {"x-ratelimit-reset-tokens", "yesterday"}},
                                        kNow);
  EXPECT_FALSE(hints.remaining_requests.has_value());
  EXPECT_FALSE(hints.remaining_tokens.has_value());
  EXPECT_EQ(hints.requests_reset, absl::Hours(24));
  EXPECT_EQ(hints.tokens_reset, absl::ZeroDuration());
}

}  // namespace
}  // namespace assay::judge
