#include "services/feedback/store/record_draft.h"

#include <map>
#include <string>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/feedback/store/feedback_keys.h"

namespace assay::feedback {
namespace {

using storage::v1::AssessmentRecord;

// The index entries of a record; none of a deleted one.
absl::StatusOr<std::map<std::string, std::string>> IndexOf(const AssessmentRecord& record) {
  std::map<std::string, std::string> index;
  if (record.deleted()) return index;
  const v1::Assessment& assessment = record.assessment();
  ASSAY_ASSIGN_OR_RETURN(const names::AssessmentName name,
                         names::AssessmentName::Parse(assessment.name()));
  ASSAY_ASSIGN_OR_RETURN(const names::TraceName trace,
                         names::TraceName::Parse(assessment.target().trace()));
  const int64_t sequence = record.create_sequence();
  index[OrderKey({name.experiment, sequence})] = name.assessment;
  index[TraceKey({name.experiment, trace.trace, sequence})] = name.assessment;
  if (assessment.has_feedback() && assessment.valid()) {
    const auto kind = static_cast<uint8_t>(assessment.source().kind());
    index[LabelKey({name.experiment, assessment.assessment_name(), kind, trace.trace, sequence})] =
        name.assessment;
  }
  return index;
}

absl::Status PutIndex(kv::Transaction& txn, const RecordChange& change) {
  std::map<std::string, std::string> before;
  if (change.before.has_value()) {
    ASSAY_ASSIGN_OR_RETURN(before, IndexOf(*change.before));
  }
  ASSAY_ASSIGN_OR_RETURN(const auto after, IndexOf(change.after));
  for (const auto& [key, id] : before) {
    if (!after.contains(key)) txn.Delete(key);
  }
  for (const auto& [key, id] : after) {
    if (!before.contains(key)) txn.Put(key, id);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AssessmentRecord> ParseAssessmentRecord(std::string_view bytes) {
  AssessmentRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                     "a record of an assessment cannot be read");
  }
  return record;
}

absl::StatusOr<std::optional<AssessmentRecord>> GetRecord(kv::Transaction& txn,
                                                          const names::AssessmentName& name) {
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, txn.Get(AssessmentKey(name)));
  if (!bytes.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(AssessmentRecord record, ParseAssessmentRecord(*bytes));
  return std::optional<AssessmentRecord>(std::move(record));
}

trace::v1::AssessmentChange ChangeOf(const AssessmentRecord& record, int64_t sequence) {
  const v1::Assessment& assessment = record.assessment();
  trace::v1::AssessmentChange change;
  change.set_sequence(sequence);
  change.set_trace(assessment.target().trace());
  change.set_valid(assessment.valid() && !record.deleted());
  trace::v1::AssessmentDigest& digest = *change.mutable_digest();
  digest.set_assessment(assessment.name());
  digest.set_assessment_name(assessment.assessment_name());
  *digest.mutable_source() = assessment.source();
  digest.set_span_id(assessment.target().span_id());
  if (assessment.has_expectation()) {
    digest.set_expectation(true);
    *digest.mutable_value() = assessment.expectation().value();
  } else {
    if (assessment.feedback().has_value()) *digest.mutable_value() = assessment.feedback().value();
    digest.set_outcome(assessment.feedback().outcome());
  }
  return change;
}

absl::Status PutDraft(kv::Transaction& txn, int64_t first_sequence, RecordDraft& draft) {
  int64_t sequence = first_sequence;
  for (RecordChange& change : draft.changes) {
    AssessmentRecord& after = change.after;
    ASSAY_ASSIGN_OR_RETURN(const names::AssessmentName name,
                           names::AssessmentName::Parse(after.assessment().name()));
    after.set_change_sequence(sequence);
    after.set_create_sequence(change.before ? change.before->create_sequence() : sequence);
    after.set_revision(change.before ? change.before->revision() + 1 : 1);
    ASSAY_RETURN_IF_ERROR(PutIndex(txn, change));
    if (change.before.has_value()) {
      txn.Put(RevisionKey({name, change.before->revision()}), change.before->SerializeAsString());
    }
    txn.Put(AssessmentKey(name), after.SerializeAsString());
    storage::v1::OutboxRecord outbox;
    *outbox.mutable_change() = ChangeOf(after, sequence);
    txn.Put(OutboxKey(sequence), outbox.SerializeAsString());
    ++sequence;
  }
  return absl::OkStatus();
}

}  // namespace assay::feedback
