// What one write does to assessment records, and how it looks on disk.
#ifndef ASSAY_SERVICES_FEEDBACK_STORE_RECORD_DRAFT_H_
#define ASSAY_SERVICES_FEEDBACK_STORE_RECORD_DRAFT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/storage/v1/feedback_records.pb.h"
#include "assay/trace/v1/trace_service.pb.h"
#include "common/kv/transaction.h"
#include "common/names/resource_name.h"

namespace assay::feedback {

struct RecordChange {
  std::optional<storage::v1::AssessmentRecord> before;
  storage::v1::AssessmentRecord after;  // revision and sequences are filled in when it is put
  bool shown = false;                   // whether the caller is answered with it
};

// An assessment that stays as it is.
struct KeptRecord {
  size_t place = 0;  // among all that the caller is answered with
  feedback::v1::Assessment assessment;
};

struct RecordDraft {
  std::vector<RecordChange> changes;
  std::vector<KeptRecord> kept;    // by place
  int64_t unchanged_sequence = 0;  // what is answered if there are no changes
};

// DATA_LOSS (RECORD_UNREADABLE) if the bytes are no record. Thread-safe, as all functions here.
absl::StatusOr<storage::v1::AssessmentRecord> ParseAssessmentRecord(std::string_view bytes);

// The record, deleted or not; nullopt if there never was one. Checked at commit.
absl::StatusOr<std::optional<storage::v1::AssessmentRecord>> GetRecord(
    kv::Transaction& txn, const names::AssessmentName& name);

// Puts the records, their indexes, the revisions that they replace, and the outbox, under
// `first_sequence` and the numbers after it, one for each change. Fills in revision and sequences.
absl::Status PutDraft(kv::Transaction& txn, int64_t first_sequence, RecordDraft& draft);

// What the trace service is told of a record.
trace::v1::AssessmentChange ChangeOf(const storage::v1::AssessmentRecord& record, int64_t sequence);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_STORE_RECORD_DRAFT_H_
