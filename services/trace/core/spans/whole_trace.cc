#include "services/trace/core/spans/whole_trace.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "common/status/status_macros.h"
#include "services/trace/core/trace_facts.h"

namespace assay::trace {
namespace {

constexpr int64_t kMaxBytes = int64_t{4} << 20;

}  // namespace

bool WholeTrace::IsSmall(const TraceFacts& facts, size_t max_spans) {
  return facts.span_bytes() <= kMaxBytes && SpanCount(facts) <= static_cast<int64_t>(max_spans);
}

absl::StatusOr<WholeTrace> WholeTrace::Read(const TraceStore& store, const TraceId& trace) {
  WholeTrace whole;
  absl::Status broken;
  ASSAY_RETURN_IF_ERROR(store.ReadChunks(trace, [&](uint64_t sequence, std::string_view otlp) {
    absl::StatusOr<std::unique_ptr<const OpenChunk>> chunk =
        MakeOpenChunk(sequence, std::string(otlp));
    broken = chunk.status();
    if (broken.ok()) whole.chunks_.push_back(*std::move(chunk));
    return broken.ok();
  }));
  ASSAY_RETURN_IF_ERROR(broken);
  whole.FindPlaces();
  absl::flat_hash_set<SpanId> wanted;
  wanted.reserve(whole.places_.size());
  for (const SpanPlace& place : whole.places_) wanted.insert(place.position.id);
  ASSAY_ASSIGN_OR_RETURN(whole.logs_, LogEvents::Read(store, trace, &wanted));
  return whole;
}

const OpenChunk* WholeTrace::Find(uint64_t sequence) const {
  const auto found = std::find_if(chunks_.begin(), chunks_.end(),
                                  [&](const auto& chunk) { return chunk->sequence == sequence; });
  return found == chunks_.end() ? nullptr : found->get();
}

void WholeTrace::FindPlaces() {
  for (const auto& chunk : chunks_) {
    for (uint32_t i = 0; i < chunk->batch.spans.size(); ++i) {
      const SpanView& span = chunk->batch.spans[i];
      places_.push_back({{span.start_unix_nano, span.span_id}, chunk->sequence, i});
    }
  }
  // By id, the last copy first.
  std::sort(places_.begin(), places_.end(), [](const SpanPlace& a, const SpanPlace& b) {
    if (a.position.id != b.position.id) return a.position.id < b.position.id;
    return std::tie(a.sequence, a.index) > std::tie(b.sequence, b.index);
  });
  const auto same = [](const SpanPlace& a, const SpanPlace& b) {
    return a.position.id == b.position.id;
  };
  places_.erase(std::unique(places_.begin(), places_.end(), same), places_.end());
  std::sort(places_.begin(), places_.end(), [](const SpanPlace& a, const SpanPlace& b) {
    return ComesBefore(a.position, b.position, /*ascending=*/true);
  });
}

}  // namespace assay::trace
