#include "services/judge/clients/model_windows.h"

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

TEST(KnownInputTokensTest, KnowsANameWhateverStandsAroundIt) {
  EXPECT_EQ(KnownInputTokens("gpt-4.1-mini"), 1'000'000);
  EXPECT_EQ(KnownInputTokens("gpt-4o-2024-08-06"), 128'000);
  EXPECT_EQ(KnownInputTokens("gpt-4"), 8'192);
  EXPECT_EQ(KnownInputTokens("openai/o3"), 200'000);
  EXPECT_EQ(KnownInputTokens("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), 200'000);
  EXPECT_EQ(KnownInputTokens("databricks-claude-3-7-sonnet"), 200'000);
  EXPECT_EQ(KnownInputTokens("models/gemini-2.5-flash"), 1'048'576);
  EXPECT_EQ(KnownInputTokens("meta-llama/Llama-3.3-70B-Instruct-Turbo"), 128'000);
}

TEST(KnownInputTokensTest, TakesNoPartOfAWordForAName) {
  EXPECT_EQ(KnownInputTokens("foo1"), 0);
  EXPECT_EQ(KnownInputTokens("my-deployment"), 0);
  EXPECT_EQ(KnownInputTokens(""), 0);
}

TEST(InputTokensInTest, FindsTheLimitInEachProvidersWords) {
  EXPECT_EQ(InputTokensIn("This model's maximum context length is 8192 tokens. However, you "
                          "requested 9,100 tokens"),
            8192);
  EXPECT_EQ(InputTokensIn("prompt is too long: 210000 tokens > 200000 maximum"), 200'000);
  EXPECT_EQ(InputTokensIn("The input token count (1200000) exceeds the maximum number of tokens "
                          "allowed (1048576)."),
            1'048'576);
  EXPECT_EQ(InputTokensIn("the request exceeds the available context size (4096 tokens)"), 4096);
  EXPECT_EQ(InputTokensIn("This model's maximum prompt length is 131,072 but the request ..."),
            131'072);
}

TEST(InputTokensInTest, TakesNoOtherNumber) {
  EXPECT_EQ(InputTokensIn("prompt is too long"), std::nullopt);
  EXPECT_EQ(InputTokensIn("context length is 3"), std::nullopt);
  EXPECT_EQ(InputTokensIn("context length is 99999999999999999999"), std::nullopt);
  EXPECT_EQ(InputTokensIn("context length exceeded by 500 tokens"), std::nullopt);
}

}  // namespace
}  // namespace assay::judge
