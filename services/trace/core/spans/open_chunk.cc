#include "services/trace/core/spans/open_chunk.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "common/status/status_macros.h"

namespace assay::trace {

const SpanView* OpenChunk::Find(const SpanPlace& place) const {
  const bool is_there =
      place.index < batch.spans.size() && batch.spans[place.index].span_id == place.position.id;
  return is_there ? &batch.spans[place.index] : FindLast(place.position.id);
}

const SpanView* OpenChunk::FindLast(const SpanId& id) const {
  const auto found = std::find_if(batch.spans.rbegin(), batch.spans.rend(),
                                  [&](const SpanView& span) { return span.span_id == id; });
  return found == batch.spans.rend() ? nullptr : &*found;
}

absl::StatusOr<std::unique_ptr<const OpenChunk>> MakeOpenChunk(uint64_t sequence,
                                                               std::string otlp) {
  auto chunk = std::make_unique<OpenChunk>();
  chunk->sequence = sequence;
  chunk->otlp = std::move(otlp);
  // What was stored was checked on arrival, so its size needs no bound here.
  ASSAY_ASSIGN_OR_RETURN(chunk->batch, ReadOtlp(chunk->otlp, std::numeric_limits<size_t>::max()));
  return chunk;
}

absl::StatusOr<std::unique_ptr<const OpenChunk>> ReadOpenChunk(const TraceStore& store,
                                                               const TraceId& trace,
                                                               uint64_t sequence) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> otlp, store.ReadChunk(trace, sequence));
  if (!otlp.has_value()) return nullptr;
  return MakeOpenChunk(sequence, *std::move(otlp));
}

absl::StatusOr<const OpenChunk*> OpenChunks::Open(uint64_t sequence) {
  const auto known = std::find_if(chunks_.begin(), chunks_.end(),
                                  [&](const auto& chunk) { return chunk->sequence == sequence; });
  if (known != chunks_.end()) {
    chunks_.splice(chunks_.begin(), chunks_, known);
    return chunks_.front().get();
  }
  // Room is made before, so that two large chunks are never held at once.
  while (!chunks_.empty() && bytes_ > max_bytes_) {
    bytes_ -= chunks_.back()->otlp.size();
    chunks_.pop_back();
  }
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<const OpenChunk> chunk,
                         ReadOpenChunk(store_, trace_, sequence));
  if (chunk == nullptr) return nullptr;
  bytes_ += chunk->otlp.size();
  bytes_read_ += static_cast<int64_t>(chunk->otlp.size());
  chunks_.push_front(std::move(chunk));
  return chunks_.front().get();
}

}  // namespace assay::trace
