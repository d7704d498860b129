// A trace with its spans in order, found by id, and as a tree.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_INDEX_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_INDEX_H_

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "assay/trace/v1/trace.pb.h"

namespace assay::judge {

// Never changes. Thread-safe.
class TraceIndex {
 public:
  // `trace` is not null.
  explicit TraceIndex(std::shared_ptr<const trace::v1::Trace> trace);

  const trace::v1::Trace& trace() const { return *trace_; }
  // By start time; spans without a time first.
  const std::vector<const trace::v1::Span*>& spans() const { return spans_; }
  // Null if there is none.
  const trace::v1::Span* Find(std::string_view span_id) const;
  // Spans without a parent, or, if there are none, those whose parent is not there; by start time.
  const std::vector<const trace::v1::Span*>& roots() const { return roots_; }
  bool IsRoot(const trace::v1::Span& span) const { return span.parent_span_id().empty(); }
  // By start time.
  const std::vector<const trace::v1::Span*>& ChildrenOf(std::string_view span_id) const;
  // The earliest start, from which offsets count.
  absl::Time start() const { return start_; }

 private:
  const std::shared_ptr<const trace::v1::Trace> trace_;
  std::vector<const trace::v1::Span*> spans_;
  std::vector<const trace::v1::Span*> roots_;
  absl::flat_hash_map<std::string_view, const trace::v1::Span*> by_id_;
  absl::flat_hash_map<std::string_view, std::vector<const trace::v1::Span*>> children_;
  absl::Time start_;
};

// From start to end; zero if one is not known or the end is before the start.
absl::Duration DurationOf(const trace::v1::Span& span);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_INDEX_H_
