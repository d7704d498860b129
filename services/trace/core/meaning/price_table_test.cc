#include "services/trace/core/meaning/price_table.h"

#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::trace {
namespace {

TEST(CostTest, PricesCachedAndReasoningTokensApart) {
  absl::StatusOr<PriceTable> prices = PriceTable::Parse(
      R"({"prices": [{"model": "m", "input": 10, "output": 20, "cache_read": 1,
                      "cache_write": 12, "reasoning": 40}]})");
  ASSERT_THAT(prices, IsOk());
  SpanSummary summary;
  summary.model = "m";
  summary.tokens = {.input = 1'000'000,
                    .output = 1'000'000,
                    .cache_read = 500'000,
                    .cache_write = 100'000,
                    .reasoning = 500'000};
  std::optional<SpanCost> cost = CostOf(summary, *prices, 0);
  ASSERT_TRUE(cost.has_value());
  EXPECT_DOUBLE_EQ(*cost->usd.input, 4 + 0.5 + 1.2);
  EXPECT_DOUBLE_EQ(*cost->usd.output, 10 + 20);
  EXPECT_DOUBLE_EQ(*cost->usd.total, 35.7);
  EXPECT_EQ(cost->price->entry, "m");
}

TEST(CostTest, BelievesTheSpanFirst) {
  SpanSummary summary;
  summary.model = "gpt-4o";
  summary.tokens = {.input = 1, .output = 1};
  summary.cost.total = 7;
  std::optional<SpanCost> cost = CostOf(summary, PriceTable::BuiltIn(), 0);
  ASSERT_TRUE(cost.has_value());
  EXPECT_EQ(cost->usd.total, 7);
  EXPECT_EQ(cost->price, nullptr);
}

TEST(CostTest, IsAbsentWithoutAPriceOrTokens) {
  SpanSummary summary;
  summary.model = "nobody-knows";
  summary.tokens.input = 1;
  EXPECT_FALSE(CostOf(summary, PriceTable::BuiltIn(), 0).has_value());
  summary.model = "gpt-4o";
  summary.tokens = {};
  EXPECT_FALSE(CostOf(summary, PriceTable::BuiltIn(), 0).has_value());
}

}  // namespace
}  // namespace assay::trace
