// What spans cost: the cost that a span says itself, or its tokens by the price table.
#ifndef ASSAY_SERVICES_TRACE_CORE_MEANING_PRICE_TABLE_H_
#define ASSAY_SERVICES_TRACE_CORE_MEANING_PRICE_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/pricing/price_table.h"
#include "services/trace/core/meaning/span_summary.h"

namespace assay::trace {

using pricing::Price;
using pricing::PriceTable;

// A cost and where it comes from.
struct SpanCost {
  CostUsd usd;
  const Price* price = nullptr;  // Null: the span itself says.
};

// The cost that the span itself says, completed to a total where it can be; else by the table;
// nullopt if neither knows. What is absent is unknown, never zero. Thread-safe.
std::optional<SpanCost> CostOf(const SpanSummary& summary, const PriceTable& prices,
                               uint64_t start_unix_nano);

// Remembers what it looked up: the spans of a request name few models. Not thread-safe.
class PriceMemo {
 public:
  // `prices` outlives the memo.
  explicit PriceMemo(const PriceTable& prices) : prices_(prices) {}
  // As CostOf.
  std::optional<SpanCost> CostOf(const SpanSummary& summary, uint64_t start_unix_nano);

 private:
  struct Known {
    std::string provider;
    std::string model;
    int64_t unix_s = 0;
    const Price* price = nullptr;
  };
  const PriceTable& prices_;
  std::vector<Known> known_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_MEANING_PRICE_TABLE_H_
