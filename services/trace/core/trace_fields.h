// What filters of traces may ask for, and the answers for one trace.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_FIELDS_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_FIELDS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "assay/trace/v1/trace.pb.h"
#include "common/filter/filter.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

// The fields that docs/filters.md lists for traces. Thread-safe.
const filter::FieldSchema& TraceFieldSchema();

// The assessment name that every match must have (a feedback.<name> or expectation.<name> among the
// terms that all must hold); nullopt if the filter asks for none. The experiment is left empty.
// Thread-safe.
std::optional<AssessmentIndex> RequiredAssessment(const filter::Filter& filter);

// One trace; reads what it needs of the store when it is asked for. Not thread-safe.
class TraceFields final : public filter::FieldSource {
 public:
  // All outlive the object.
  TraceFields(const TraceStore& store, const TraceId& trace, const StoredTrace& stored)
      : store_(store), trace_(trace), stored_(stored) {}

  void Lookup(absl::Span<const std::string> field,
              std::vector<filter::Value>* values) const override;
  std::optional<std::vector<std::unique_ptr<filter::FieldSource>>> Groups(
      absl::Span<const std::string> prefix) const override;

  // Why a read of the store failed: the answers are worth nothing then.
  const absl::Status& status() const { return status_; }

 private:
  const std::vector<v1::AssessmentDigest>& Assessments() const;
  void LookupAttribute(const std::string& key, std::vector<filter::Value>* values) const;

  const TraceStore& store_;
  const TraceId& trace_;
  const StoredTrace& stored_;
  mutable absl::Status status_;
  mutable std::optional<std::vector<v1::AssessmentDigest>> assessments_;
  mutable bool root_read_ = false;
  mutable std::optional<std::string> root_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_FIELDS_H_
