// What filters of traces may ask for, and the answers for one trace.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_FIELDS_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_FIELDS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "assay/trace/v1/trace.pb.h"
#include "common/filter/filter.h"
#include "services/trace/core/meaning/span_summary.h"
#include "services/trace/core/search/span_reader.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

// The fields that docs/filters.md lists for traces. Thread-safe.
const filter::FieldSchema& TraceFieldSchema();
// What they cost: facts nothing, then assessments, the root span, all spans, their texts; terms on
// `span.` speak of one and the same span. Thread-safe.
filter::FieldTraits TraceFieldTraits(absl::Span<const std::string> field);

// A filter of TraceFieldSchema(), to be tried on traces. Thread-safe.
class TraceMatcher {
 public:
  // `filter` outlives the matcher.
  explicit TraceMatcher(const filter::Filter& filter) : matcher_(filter, TraceFieldTraits) {}

  // Blocks for what the filter needs of the store. With `reads` (may be null), `over_budget` (may be
  // null) says whether an error means that it would have taken more spans than may be read.
  absl::StatusOr<bool> Matches(const TraceStore& store, const TraceId& trace,
                               const StoredTrace& stored, SpanReads* reads = nullptr,
                               bool* over_budget = nullptr) const;

 private:
  filter::Matcher matcher_;
};

// One trace; reads what it needs of the store when it is asked for. Not thread-safe.
class TraceFields final : public filter::FieldSource {
 public:
  // All outlive the object; `reads` may be null.
  TraceFields(const TraceStore& store, const TraceId& trace, const StoredTrace& stored,
              SpanReads* reads = nullptr)
      : store_(store), trace_(trace), stored_(stored), spans_(store, trace, stored.facts, reads) {}

  void Lookup(absl::Span<const std::string> field,
              std::vector<filter::Value>* values) const override;
  std::optional<bool> AnyGroup(
      absl::Span<const std::string> prefix,
      absl::FunctionRef<bool(const filter::FieldSource& group)> matches) const override;
  std::optional<bool> Compare(const filter::Comparison& comparison) const override;

  // Why a read of the store failed: the answers are worth nothing then.
  const absl::Status& status() const { return status_.ok() ? spans_.status() : status_; }
  bool over_budget() const { return spans_.over_budget(); }

 private:
  const std::vector<v1::AssessmentDigest>& Assessments() const;
  void LookupUsage(std::string_view name, std::vector<filter::Value>* values) const;
  // What spans say, each once: from the facts if they list all.
  void LookupOfSpans(std::string_view term, std::string_view SpanSummary::*member,
                     std::vector<filter::Value>* values) const;
  // The values of an indexed field of spans; nullopt if the facts do not say all of them.
  std::optional<std::vector<std::string>> KnownTerms(std::string_view field) const;

  const TraceStore& store_;
  const TraceId& trace_;
  const StoredTrace& stored_;
  mutable absl::Status status_;
  mutable std::optional<std::vector<v1::AssessmentDigest>> assessments_;
  mutable std::optional<UsageRecord> usage_;
  mutable SpanReader spans_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_FIELDS_H_
