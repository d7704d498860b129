// All spans of a small trace, read at once.
#ifndef ASSAY_SERVICES_TRACE_CORE_SPANS_WHOLE_TRACE_H_
#define ASSAY_SERVICES_TRACE_CORE_SPANS_WHOLE_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "services/trace/core/logs/log_events.h"
#include "services/trace/core/spans/open_chunk.h"
#include "services/trace/core/spans/span_places.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

// Reading the chunks of a small trace one after the other costs less than looking up in its
// directories where which span is. Immutable; safe to read from many threads.
class WholeTrace {
 public:
  // Whether a trace is small: as its facts say, at most `max_spans` and 4 MiB of them.
  static bool IsSmall(const TraceFacts& facts, size_t max_spans);

  // Chunks and log records. Memory: all of it, unfolded. Blocks.
  static absl::StatusOr<WholeTrace> Read(const TraceStore& store, const TraceId& trace);

  // By (start, id); of those that were sent again, the last copy.
  const std::vector<SpanPlace>& places() const { return places_; }
  // Null if there is no such chunk.
  const OpenChunk* Find(uint64_t sequence) const;
  const LogEvents& logs() const { return logs_; }

 private:
  WholeTrace() = default;
  void FindPlaces();

  std::vector<std::unique_ptr<const OpenChunk>> chunks_;  // Ascending by sequence.
  std::vector<SpanPlace> places_;
  LogEvents logs_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_SPANS_WHOLE_TRACE_H_
