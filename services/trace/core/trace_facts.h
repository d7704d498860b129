// What is known of a trace without reading its spans, and how facts of several requests add up.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_FACTS_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/storage/v1/trace_records.pb.h"
#include "services/trace/core/ids.h"
#include "services/trace/core/otlp_wire_reader.h"

namespace assay::trace {

using TraceFacts = storage::v1::TraceFactsRecord;

// Distinct spans that are counted exactly.
inline constexpr size_t kMaxCountedSpans = 1024;

// Sums up the spans of one trace in one request. Not thread-safe.
class FactsBuilder {
 public:
  // Of a span that occurs twice, the later one counts.
  void Add(const SpanView& span);
  // The facts so far, without the sequence of the root: the store knows it.
  TraceFacts Build();

 private:
  TraceFacts facts_;
  std::vector<SpanId> ids_;
};

// Adds `newer` to `facts`; either may be empty. In whatever order requests are merged, times, the
// root and the session come out the same; of a root that was sent again, the later chunk wins.
void MergeFacts(const TraceFacts& newer, TraceFacts* facts);

int64_t SpanCount(const TraceFacts& facts);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_FACTS_H_
