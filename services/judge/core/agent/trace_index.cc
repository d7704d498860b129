#include "services/judge/core/agent/trace_index.h"

#include <algorithm>
#include <utility>

#include "common/proto/time.h"
#include "common/strings/strings.h"

namespace assay::judge {

using trace::v1::Span;
using trace::v1::Trace;

absl::Duration DurationOf(const Span& span) {
  if (!span.has_start_time() || !span.has_end_time()) return absl::ZeroDuration();
  return std::max(proto::FromTimestamp(span.end_time()) - proto::FromTimestamp(span.start_time()),
                  absl::ZeroDuration());
}

TraceIndex::TraceIndex(std::shared_ptr<const Trace> trace) : trace_(std::move(trace)) {
  spans_.reserve(static_cast<size_t>(trace_->spans_size()));
  for (const Span& span : trace_->spans()) spans_.push_back(&span);
  const auto time = [](const Span* span) {
    return std::make_pair(span->start_time().seconds(), span->start_time().nanos());
  };
  std::stable_sort(spans_.begin(), spans_.end(),
                   [&](const Span* a, const Span* b) { return time(a) < time(b); });
  for (const Span* span : spans_) by_id_.emplace(span->span_id(), span);
  std::vector<const Span*> orphans;
  for (const Span* span : spans_) {
    const std::string& parent = span->parent_span_id();
    if (parent.empty()) {
      roots_.push_back(span);
      continue;
    }
    if (!by_id_.contains(parent)) orphans.push_back(span);
    if (parent != span->span_id()) children_[parent].push_back(span);
  }
  if (roots_.empty()) roots_ = std::move(orphans);
  // Only a cycle of parents: any beginning is as good as another.
  if (roots_.empty() && !spans_.empty()) roots_.push_back(spans_.front());
  start_ = trace_->has_start_time() ? proto::FromTimestamp(trace_->start_time())
           : spans_.empty()         ? absl::UnixEpoch()
                                    : proto::FromTimestamp(spans_.front()->start_time());
}

const Span* TraceIndex::Find(std::string_view span_id) const {
  const auto found = by_id_.find(span_id);
  return found == by_id_.end() ? nullptr : found->second;
}

const std::vector<const Span*>& TraceIndex::ChildrenOf(std::string_view span_id) const {
  static const std::vector<const Span*>* const none = new std::vector<const Span*>();
  const auto found = children_.find(span_id);
  return found == children_.end() ? *none : found->second;
}

}  // namespace assay::judge
