#include "services/trace/core/meaning/price_table.h"

#include <algorithm>

namespace assay::trace {
namespace {

constexpr double kMillion = 1e6;
constexpr int64_t kPerSecond = 1'000'000'000;

bool NeedsPrice(const SpanSummary& summary) {
  return !summary.cost.any() && (summary.tokens.input || summary.tokens.output);
}

// Of a span that does not say its cost.
std::optional<SpanCost> CostAt(const SpanSummary& summary, const Price* price) {
  if (price == nullptr) return std::nullopt;
  const TokenCounts& tokens = summary.tokens;
  SpanCost cost{.price = price};
  if (tokens.input) {
    const int64_t read = tokens.cache_read.value_or(0);
    const int64_t write = tokens.cache_write.value_or(0);
    // Some do not count cached tokens as input: then there are more of them than of input.
    const int64_t plain =
        read + write <= *tokens.input ? *tokens.input - read - write : *tokens.input;
    cost.usd.input = (static_cast<double>(plain) * price->input +
                      static_cast<double>(read) * price->cache_read.value_or(price->input) +
                      static_cast<double>(write) * price->cache_write.value_or(price->input)) /
                     kMillion;
  }
  if (tokens.output) {
    const int64_t thought = std::min(tokens.reasoning.value_or(0), *tokens.output);
    cost.usd.output = (static_cast<double>(*tokens.output - thought) * price->output +
                       static_cast<double>(thought) * price->reasoning.value_or(price->output)) /
                      kMillion;
  }
  cost.usd.total = cost.usd.input.value_or(0) + cost.usd.output.value_or(0);
  return cost;
}

}  // namespace

std::optional<SpanCost> CostOf(const SpanSummary& summary, const PriceTable& prices,
                               uint64_t start_unix_nano) {
  if (summary.cost.any()) return SpanCost{.usd = summary.cost};
  if (!NeedsPrice(summary)) return std::nullopt;
  const auto unix_s = static_cast<int64_t>(start_unix_nano / kPerSecond);
  return CostAt(summary, prices.Find(summary.provider, summary.model, unix_s));
}

std::optional<SpanCost> PriceMemo::CostOf(const SpanSummary& summary, uint64_t start_unix_nano) {
  if (!NeedsPrice(summary)) return trace::CostOf(summary, prices_, start_unix_nano);
  // Prices change from one second to the next at most.
  const auto unix_s = static_cast<int64_t>(start_unix_nano / kPerSecond);
  for (const Known& known : known_) {
    if (known.unix_s == unix_s && known.model == summary.model &&
        known.provider == summary.provider) {
      return CostAt(summary, known.price);
    }
  }
  constexpr size_t kMostKnown = 16;
  if (known_.size() == kMostKnown) known_.clear();
  known_.push_back({std::string(summary.provider), std::string(summary.model), unix_s,
                    prices_.Find(summary.provider, summary.model, unix_s)});
  return CostAt(summary, known_.back().price);
}

}  // namespace assay::trace
