#include "common/pricing/price_table.h"

#include <fstream>
#include <string>
#include <string_view>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::pricing {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNow = 1'770'000'000;

TEST(PriceTableTest, KnowsModelsByTheirManyNames) {
  const PriceTable& prices = PriceTable::BuiltIn();
  for (auto [provider, model, entry] :
       {std::tuple("openai", "gpt-4o", "gpt-4o"),
        {"openai", "gpt-4o-2024-08-06", "gpt-4o"},
        {"openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"},
        {"openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
        {"openai", "gpt-4-0613", "gpt-4"},
        {"", "openai/GPT-4.1", "gpt-4.1"},
        {"anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4"},
        {"anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"},
        {"anthropic", "claude-3-5-sonnet-latest", "claude-3-5-sonnet"},
        {"aws.bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
         "*anthropic.claude-3-5-sonnet-*"},
        {"gcp.gemini", "models/gemini-1.5-pro-002", "gemini-1.5-pro"},
        {"mistral_ai", "mistral-large-2411", "mistral-large"}}) {
    const Price* price = prices.Find(provider, model, kNow);
    ASSERT_NE(price, nullptr) << model;
    EXPECT_EQ(price->entry, entry) << model;
  }
}

TEST(PriceTableTest, HasNoPriceForUnknownModels) {
  for (std::string_view model : {"", "gpt-4o-something", "gpt", "llama-3", "my-gpt-4o"}) {
    EXPECT_EQ(PriceTable::BuiltIn().Find("openai", model, kNow), nullptr) << model;
  }
}

TEST(PriceTableTest, TakesTheEntryOfTheDay) {
  EXPECT_EQ(PriceTable::BuiltIn().Find("", "o3", 1'746'000'000)->input, 10);
  EXPECT_EQ(PriceTable::BuiltIn().Find("", "o3", kNow)->input, 2);
}

TEST(PriceTableTest, PrefersTheProviderAndTheLongestPattern) {
  absl::StatusOr<PriceTable> prices = PriceTable::Parse(R"({"prices": [
      {"model": "*", "input": 1, "output": 1},
      {"model": "fast-*", "input": 2, "output": 2},
      {"model": "fast-*", "provider": "Azure", "input": 3, "output": 3},
      {"model": "fast-9", "input": 4, "output": 4}]})");
  ASSERT_THAT(prices, IsOk());
  EXPECT_EQ(prices->Find("x", "slow", 0)->input, 1);
  EXPECT_EQ(prices->Find("x", "fast-1", 0)->input, 2);
  EXPECT_EQ(prices->Find("AZURE", "fast-1", 0)->input, 3);
  EXPECT_EQ(prices->Find("azure", "fast-9", 0)->input, 4);
}

TEST(PriceTableTest, RefusesBadTablesByEntry) {
  for (auto [json, field] :
       {std::pair(R"([])", "price_table"),
        {R"({"prices": 1})", "prices"},
        {R"({"price": []})", "price"},
        {R"({"prices": [{"model": "a", "input": 1, "output": 1}, 7]})", "prices[1]"},
        {R"({"prices": [{"model": "a", "input": 1}]})", "prices[0].output"},
        {R"({"prices": [{"model": "", "input": 1, "output": 1}]})", "prices[0].model"},
        {R"({"prices": [{"model": "a", "input": -1, "output": 1}]})", "prices[0].input"},
        {R"({"prices": [{"model": "a", "input": "1", "output": 1}]})", "prices[0].input"},
        {R"({"prices": [{"model": "a", "input": 1, "output": 1, "in": 1}]})", "prices[0].in"},
        {R"({"prices": [{"model": "a", "input": 1, "output": 1, "from": "2025-13-01"}]})",
         "prices[0].from"},
        {R"({"prices": [{"model": "a", "input": 1, "output": 1},
                        {"model": "A", "input": 1, "output": 1}]})",
         "prices[1]"}}) {
    absl::StatusOr<PriceTable> prices = PriceTable::Parse(json);
    EXPECT_THAT(prices.status(), HasReason("INVALID_PRICE_TABLE")) << json;
    EXPECT_THAT(std::string(prices.status().message()), HasSubstr(field));
  }
}

TEST(PriceTableTest, LoadsAFileInPlaceOfTheBuiltInPrices) {
  const std::string path = ::testing::TempDir() + "/prices.json";
  std::ofstream(path) << R"({"prices": [{"model": "mine", "input": 1, "output": 2}]})";
  absl::StatusOr<PriceTable> prices = PriceTable::Load(path);
  ASSERT_THAT(prices, IsOk());
  EXPECT_NE(prices->Find("", "mine", kNow), nullptr);
  EXPECT_EQ(prices->Find("openai", "gpt-4o", kNow), nullptr);
  EXPECT_THAT(PriceTable::Load(path + ".absent").status(), HasReason("PRICE_TABLE_UNREADABLE"));
  absl::StatusOr<PriceTable> built_in = PriceTable::Load("");
  ASSERT_THAT(built_in, IsOk());
  EXPECT_NE(built_in->Find("openai", "gpt-4o", kNow), nullptr);
}

}  // namespace
}  // namespace assay::pricing
