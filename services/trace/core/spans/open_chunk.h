// Chunks of spans that are being read from.
#ifndef ASSAY_SERVICES_TRACE_CORE_SPANS_OPEN_CHUNK_H_
#define ASSAY_SERVICES_TRACE_CORE_SPANS_OPEN_CHUNK_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/trace/core/otlp_wire_reader.h"
#include "services/trace/core/spans/span_places.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

struct OpenChunk {
  uint64_t sequence = 0;
  std::string otlp;
  OtlpBatch batch;  // Points into `otlp`.

  // Null if there is no such span there.
  const SpanView* Find(const SpanPlace& place) const;
  // The last copy of a span; null if there is none.
  const SpanView* FindLast(const SpanId& id) const;
  const ScopeView& ScopeOf(const SpanView& span) const { return batch.scopes[span.scope]; }
  const ResourceView& ResourceOf(const SpanView& span) const {
    return batch.resources[ScopeOf(span).resource];
  }
};

// An error if `otlp` cannot be read.
absl::StatusOr<std::unique_ptr<const OpenChunk>> MakeOpenChunk(uint64_t sequence, std::string otlp);

// Null if there is no such chunk (any more). Blocks. Thread-safe.
absl::StatusOr<std::unique_ptr<const OpenChunk>> ReadOpenChunk(const TraceStore& store,
                                                               const TraceId& trace,
                                                               uint64_t sequence);

// Keeps the chunks that were used last, so that spans that lie here and there are not read again
// and again. Not thread-safe.
class OpenChunks {
 public:
  // `store` and `trace` outlive the object. At least one chunk is kept, whatever its size.
  OpenChunks(const TraceStore& store, const TraceId& trace, size_t max_bytes)
      : store_(store), trace_(trace), max_bytes_(max_bytes) {}

  // Null if there is no such chunk. Valid until the next call.
  absl::StatusOr<const OpenChunk*> Open(uint64_t sequence);
  // Bytes of spans that were read.
  int64_t bytes_read() const { return bytes_read_; }

 private:
  const TraceStore& store_;
  const TraceId& trace_;
  const size_t max_bytes_;
  std::list<std::unique_ptr<const OpenChunk>> chunks_;  // The last used first.
  size_t bytes_ = 0;
  int64_t bytes_read_ = 0;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_SPANS_OPEN_CHUNK_H_
