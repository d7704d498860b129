// Sums up the spans of one trace in one request: facts, usage and index terms.
#ifndef ASSAY_SERVICES_TRACE_CORE_FACTS_BUILDER_H_
#define ASSAY_SERVICES_TRACE_CORE_FACTS_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/trace/core/index_terms.h"
#include "services/trace/core/meaning/price_table.h"
#include "services/trace/core/meaning/span_summary.h"
#include "services/trace/core/trace_facts.h"

namespace assay::trace {

// Not thread-safe.
class FactsBuilder {
 public:
  // All outlive the builder.
  FactsBuilder(const IndexedAttributes& attributes, PriceMemo& prices)
      : prices_(prices), terms_(attributes) {}

  // Of a span that occurs twice, the later one counts.
  void Add(const SpanView& span);
  // What the resource of the spans says.
  void AddTerm(std::string_view field, std::string_view value) { terms_.Add(field, value); }

  // The facts so far, without what the store knows: sequences, arrival, binding. Once.
  TraceFacts Build();
  // Ids and starts of all spans, in the order in which they were added. Once.
  storage::v1::ChunkDirectoryRecord BuildDirectory() { return std::move(directory_); }

 private:
  void AddRoot(const SpanView& span);
  void AddUsage(const SpanView& span, const SpanSummary& summary);
  void AddIdentity(const SpanSummary& summary);
  void AddModel(std::string_view model);
  void SetTruncated(uint32_t bits, bool is);
  void BuildUsage();

  PriceMemo& prices_;
  TermCollector terms_;
  TraceFacts facts_;
  storage::v1::ChunkDirectoryRecord directory_;
  std::vector<SpanId> ids_;
  std::vector<std::string> models_;                  // Ascending, each once.
  std::vector<storage::v1::SpanUsageRecord> usage_;  // In the order of arrival.
};

// What a span says of its usage, with the cost by the table if it does not say that itself.
// Negative and absurd figures are cut.
UsageRecord UsageOfSpan(const SpanSummary& summary, PriceMemo& prices, uint64_t start_unix_nano);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_FACTS_BUILDER_H_
