#include "services/trace/core/chunk_builder.h"

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

using Indices = absl::Span<const uint32_t>;

uint64_t OptionalSize(std::string_view value) {
  return value.empty() ? 0 : BytesFieldSize(value.size());
}

void AppendOptional(uint32_t field, std::string_view value, std::string* out) {
  if (!value.empty()) AppendBytesField(field, value, out);
}

class Builder {
 public:
  explicit Builder(const OtlpBatch& batch) : batch_(batch) {}

  std::string Build(Indices spans) {
    std::string out;
    while (!spans.empty()) {
      const Indices run = Run(spans, [&](uint32_t span) { return ResourceOf(span); });
      AppendResourceSpans(run, &out);
      spans.remove_prefix(run.size());
    }
    return out;
  }

 private:
  uint32_t ScopeOf(uint32_t span) const { return batch_.spans[span].scope; }
  uint32_t ResourceOf(uint32_t span) const { return batch_.scopes[ScopeOf(span)].resource; }

  // The spans at the beginning that have one key in common.
  template <class Key>
  static Indices Run(Indices spans, Key key) {
    size_t size = 1;
    while (size < spans.size() && key(spans[size]) == key(spans[0])) ++size;
    return spans.subspan(0, size);
  }

  Indices ScopeRun(Indices spans) const {
    return Run(spans, [&](uint32_t span) { return ScopeOf(span); });
  }

  uint64_t ScopeSpansSize(Indices run) const {
    const ScopeView& scope = batch_.scopes[ScopeOf(run[0])];
    uint64_t size = OptionalSize(scope.scope) + OptionalSize(scope.schema_url);
    for (uint32_t span : run) size += BytesFieldSize(batch_.spans[span].bytes.size());
    return size;
  }

  void AppendResourceSpans(Indices run, std::string* out) const {
    const ResourceView& resource = batch_.resources[ResourceOf(run[0])];
    uint64_t size = OptionalSize(resource.resource) + OptionalSize(resource.schema_url);
    for (Indices rest = run; !rest.empty();) {
      const Indices scope_run = ScopeRun(rest);
      size += BytesFieldSize(ScopeSpansSize(scope_run));
      rest.remove_prefix(scope_run.size());
    }
    out->reserve(out->size() + size + 16);
    AppendBytesHeader(1, size, out);
    AppendOptional(1, resource.resource, out);
    for (Indices rest = run; !rest.empty();) {
      const Indices scope_run = ScopeRun(rest);
      const ScopeView& scope = batch_.scopes[ScopeOf(scope_run[0])];
      AppendBytesHeader(2, ScopeSpansSize(scope_run), out);
      AppendOptional(1, scope.scope, out);
      for (uint32_t span : scope_run) AppendBytesField(2, batch_.spans[span].bytes, out);
      AppendOptional(3, scope.schema_url, out);
      rest.remove_prefix(scope_run.size());
    }
    AppendOptional(3, resource.schema_url, out);
  }

  const OtlpBatch& batch_;
};

}  // namespace

std::vector<TraceSpans> GroupByTrace(const OtlpBatch& batch) {
  std::vector<TraceSpans> traces;
  absl::flat_hash_map<TraceId, size_t> places;
  for (uint32_t i = 0; i < batch.spans.size(); ++i) {
    const TraceId& trace = batch.spans[i].trace_id;
    auto [place, added] = places.try_emplace(trace, traces.size());
    if (added) traces.push_back({trace, {}});
    traces[place->second].spans.push_back(i);
  }
  return traces;
}

std::string BuildOtlp(const OtlpBatch& batch, absl::Span<const uint32_t> spans) {
  return Builder(batch).Build(spans);
}

}  // namespace assay::trace
