#include "services/judge/clients/limits/limit_config.h"

#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

TEST(LimitConfigTest, ProvidersHaveLimitsOfTheirOwn) {
  LimitFlags flags;
  flags.requests_per_minute = 100;
  // As lists come, cut at the commas or not.
  flags.model_limit = {"of=openai:/,max_in_flight=8", "requests_per_minute=0",
                       "of=endpoints:/local,tokens_per_minute=5e6"};
  ASSAY_ASSERT_OK_AND_ASSIGN(const LimitConfig config, ResolveLimitConfig(flags));
  LimitedModelClient::Options options;
  options.name = "openai:/";
  config.ApplyTo(&options);
  EXPECT_EQ(options.max_in_flight, 8u);
  EXPECT_EQ(options.requests_per_minute, 0);
  options = {};
  options.name = "endpoints:/local";
  config.ApplyTo(&options);
  EXPECT_EQ(options.max_in_flight, 256u);
  EXPECT_EQ(options.requests_per_minute, 100);
  EXPECT_EQ(options.tokens_per_minute, 5e6);
}

TEST(LimitConfigTest, RefusesWhatItCannotRead) {
  for (const char* text :
       {"max_in_flight=3", "of=openai", "of=openai:/,max_in_flight=0", "of=openai:/,speed=3",
        "of=openai:/,requests_per_minute=many", "of=openai:/;of=openai:/"}) {
    LimitFlags flags;
    flags.model_limit = {text};
    EXPECT_THAT(ResolveLimitConfig(flags), HasReason("INVALID_FLAG")) << text;
  }
}

}  // namespace
}  // namespace assay::judge
