// Cuts a request into one chunk a trace.
#ifndef ASSAY_SERVICES_TRACE_CORE_CHUNK_BUILDER_H_
#define ASSAY_SERVICES_TRACE_CORE_CHUNK_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "services/trace/core/otlp_wire_reader.h"

namespace assay::trace {

// The spans of one trace, as indices into OtlpBatch::spans, ascending.
struct TraceSpans {
  TraceId trace;
  std::vector<uint32_t> spans;
};

// In the order in which the traces first occur. Thread-safe, as all here.
std::vector<TraceSpans> GroupByTrace(const OtlpBatch& batch);

// TracesData that holds exactly these spans, byte by byte as they came, under their resources and
// scopes. `spans` is ascending.
std::string BuildOtlp(const OtlpBatch& batch, absl::Span<const uint32_t> spans);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_CHUNK_BUILDER_H_
