#include "services/feedback/store/kv_feedback_store.h"

#include <algorithm>

#include "assay/storage/v1/feedback_records.pb.h"
#include "common/kv/keys.h"
#include "common/kv/mutate.h"
#include "common/names/random_id.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/feedback/store/feedback_keys.h"
#include "services/feedback/store/record_draft.h"
#include "services/feedback/store/record_reader.h"

namespace assay::feedback {
namespace {

using storage::v1::AssessmentRecord;
using storage::v1::AssessmentsWrittenRecord;
using storage::v1::FeedbackStoreRecord;
using storage::v1::OutboxPositionRecord;
using storage::v1::OutboxRecord;

// The outbox is read in steps of this many, so that large values do not pile up.
constexpr int kOutboxStep = 64;
constexpr int64_t kMaxDeletesOfOneCommit = 10'000;
constexpr int kMaxRevisions = 1000;

absl::Status Unreadable() {
  return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                   "a record of the feedback store cannot be read");
}

// The store's identity; made if there is none.
absl::StatusOr<std::string> IdentityOf(kv::Store& store) {
  FeedbackStoreRecord record;
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, store.Get(StoreKey()));
  if (bytes.has_value()) {
    if (!record.ParseFromString(*bytes)) return Unreadable();
    return record.store_id();
  }
  record.set_store_id(names::RandomId());
  kv::Batch batch;
  batch.CheckAbsent(StoreKey());
  batch.Put(StoreKey(), record.SerializeAsString());
  ASSAY_RETURN_IF_ERROR(store.CommitAndWait(std::move(batch)));
  return record.store_id();
}

absl::StatusOr<int64_t> AcknowledgedOf(const kv::Store& store) {
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, store.Get(PositionKey()));
  if (!bytes.has_value()) return 0;
  OutboxPositionRecord record;
  if (!record.ParseFromString(*bytes)) return Unreadable();
  return record.acknowledged_sequence();
}

// The greatest sequence in the outbox; 0 if it is empty.
absl::StatusOr<int64_t> LastOf(const kv::Store& store) {
  kv::ScanRange range{OutboxKeyPrefix(), kv::PrefixEnd(OutboxKeyPrefix()), 1, /*reverse=*/true};
  ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> last, store.Scan(range));
  if (last.empty()) return 0;
  return DecodeOutboxKey(last[0].key);
}

RecordChange Changed(AssessmentRecord before, v1::Assessment assessment, bool shown) {
  RecordChange change;
  change.after = before;
  *change.after.mutable_assessment() = std::move(assessment);
  change.before = std::move(before);
  change.shown = shown;
  return change;
}

// The record if it is there and not deleted, else NOT_FOUND.
absl::StatusOr<AssessmentRecord> RequireRecord(kv::Transaction& txn,
                                               const names::AssessmentName& name) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<AssessmentRecord> record, GetRecord(txn, name));
  if (!record.has_value() || record->deleted()) return NotFound("assessment", name.ToString());
  return *std::move(record);
}

// Leaves a record that stands where `wanted` was to be put.
absl::Status Keep(const std::string& bytes, const v1::Assessment& wanted, size_t place,
                  RecordDraft* draft) {
  ASSAY_ASSIGN_OR_RETURN(AssessmentRecord record, ParseAssessmentRecord(bytes));
  if (record.assessment().target().trace() != wanted.target().trace()) {
    return AlreadyExists("assessment", wanted.name());
  }
  draft->unchanged_sequence = std::max(draft->unchanged_sequence, record.change_sequence());
  draft->kept.push_back({place, std::move(*record.mutable_assessment())});
  return absl::OkStatus();
}

absl::StatusOr<RecordDraft> DraftOfInsert(kv::Transaction& txn,
                                          const std::vector<v1::Assessment>& assessments,
                                          FeedbackStore::IfTaken if_taken) {
  RecordDraft draft;
  std::vector<std::string> keys;
  keys.reserve(assessments.size());
  for (const v1::Assessment& assessment : assessments) {
    ASSAY_ASSIGN_OR_RETURN(const names::AssessmentName name,
                           names::AssessmentName::Parse(assessment.name()));
    keys.push_back(AssessmentKey(name));
  }
  ASSAY_ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> taken, txn.MultiGet(keys));
  for (size_t i = 0; i < taken.size(); ++i) {
    if (taken[i].has_value()) {
      if (if_taken == FeedbackStore::IfTaken::kRefuse) {
        return AlreadyExists("assessment", assessments[i].name());
      }
      ASSAY_RETURN_IF_ERROR(Keep(*taken[i], assessments[i], i, &draft));
      continue;
    }
    RecordChange& change = draft.changes.emplace_back();
    *change.after.mutable_assessment() = assessments[i];
    change.shown = true;
  }
  return draft;
}

// A neighbour in a chain of overrides; nullopt without one.
absl::StatusOr<std::optional<AssessmentRecord>> NeighbourOf(kv::Transaction& txn,
                                                            const std::string& name) {
  if (name.empty()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(const names::AssessmentName parsed, names::AssessmentName::Parse(name));
  ASSAY_ASSIGN_OR_RETURN(std::optional<AssessmentRecord> record, GetRecord(txn, parsed));
  if (record.has_value() && record->deleted()) return std::nullopt;
  return record;
}

absl::StatusOr<RecordDraft> DraftOfDelete(kv::Transaction& txn, const names::AssessmentName& name,
                                          const FeedbackStore::Unlink& unlink) {
  RecordDraft draft;
  ASSAY_ASSIGN_OR_RETURN(std::optional<AssessmentRecord> record, GetRecord(txn, name));
  if (!record.has_value()) return draft;
  draft.unchanged_sequence = record->change_sequence();
  if (record->deleted()) return draft;
  ASSAY_ASSIGN_OR_RETURN(std::optional<AssessmentRecord> overridden,
                         NeighbourOf(txn, record->assessment().overrides()));
  ASSAY_ASSIGN_OR_RETURN(std::optional<AssessmentRecord> successor,
                         NeighbourOf(txn, record->overridden_by()));
  FeedbackStore::Neighbours neighbours;
  if (overridden.has_value()) neighbours.overridden = overridden->assessment();
  if (successor.has_value()) neighbours.successor = successor->assessment();
  ASSAY_RETURN_IF_ERROR(unlink(record->assessment(), neighbours));

  if (overridden.has_value()) {
    draft.changes.push_back(
        Changed(*std::move(overridden), *std::move(neighbours.overridden), /*shown=*/false));
    draft.changes.back().after.set_overridden_by(record->overridden_by());
  }
  if (successor.has_value()) {
    draft.changes.push_back(
        Changed(*std::move(successor), *std::move(neighbours.successor), /*shown=*/false));
  }
  const v1::Assessment last = record->assessment();
  draft.changes.push_back(Changed(*std::move(record), last, /*shown=*/false));
  draft.changes.back().after.set_deleted(true);
  return draft;
}

// Moves what the caller is shown into the answer.
void Show(RecordDraft& draft, AssessmentsWrittenRecord* answer) {
  auto kept = draft.kept.begin();
  const auto show_kept = [&] {
    while (kept != draft.kept.end() &&
           kept->place == static_cast<size_t>(answer->assessments_size())) {
      *answer->add_assessments() = std::move(kept++->assessment);
    }
  };
  show_kept();
  for (RecordChange& change : draft.changes) {
    if (!change.shown) continue;
    *answer->add_assessments() = std::move(*change.after.mutable_assessment());
    show_kept();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<KvFeedbackStore>> KvFeedbackStore::Open(kv::Store& store,
                                                                       Executor& executor,
                                                                       Clock& clock) {
  ASSAY_ASSIGN_OR_RETURN(std::string store_id, IdentityOf(store));
  ASSAY_ASSIGN_OR_RETURN(const int64_t acknowledged, AcknowledgedOf(store));
  ASSAY_ASSIGN_OR_RETURN(const int64_t last, LastOf(store));
  std::unique_ptr<KvFeedbackStore> opened(new KvFeedbackStore(
      store, executor, clock, std::move(store_id), acknowledged, std::max(acknowledged, last)));
  ASSAY_RETURN_IF_ERROR(opened->ReissueLateChanges());
  return opened;
}

absl::Status KvFeedbackStore::ReissueLateChanges() {
  for (;;) {
    kv::ScanRange range{OutboxKeyPrefix(), OutboxKey(acknowledged_ + 1), kOutboxStep, false};
    ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> late, store_.Scan(range));
    if (late.empty()) return absl::OkStatus();
    kv::Batch batch;
    SequenceAllocator::Ticket ticket = sequences_.Take(static_cast<int64_t>(late.size()));
    int64_t sequence = ticket.first();
    for (const kv::Entry& entry : late) {
      OutboxRecord record;
      if (!record.ParseFromString(entry.value)) return Unreadable();
      ASSAY_ASSIGN_OR_RETURN(const names::AssessmentName name,
                             names::AssessmentName::Parse(record.change().digest().assessment()));
      ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                             store_.Get(AssessmentKey(name)));
      if (!bytes.has_value()) return Unreadable();
      ASSAY_ASSIGN_OR_RETURN(const AssessmentRecord now, ParseAssessmentRecord(*bytes));
      *record.mutable_change() = ChangeOf(now, sequence);
      batch.Delete(entry.key);
      batch.Put(OutboxKey(sequence++), record.SerializeAsString());
    }
    ASSAY_RETURN_IF_ERROR(store_.CommitAndWait(std::move(batch)));
  }
}

absl::StatusOr<std::optional<v1::Assessment>> KvFeedbackStore::Find(
    const names::AssessmentName& name) const {
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, store_.Get(AssessmentKey(name)));
  if (!bytes.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(AssessmentRecord record, ParseAssessmentRecord(*bytes));
  if (record.deleted()) return std::nullopt;
  return std::move(*record.mutable_assessment());
}

absl::StatusOr<AssessmentPage> KvFeedbackStore::List(const AssessmentRange& range) const {
  return ReadRange(*store_.Snapshot(), range);
}

absl::StatusOr<LabelledPage> KvFeedbackStore::ListLabelled(const LabelledRange& range) const {
  return ReadLabelled(*store_.Snapshot(), range);
}

absl::StatusOr<std::vector<v1::Assessment>> KvFeedbackStore::ListRevisions(
    const names::AssessmentName& name) const {
  const std::unique_ptr<const kv::Reader> snapshot = store_.Snapshot();
  const std::string prefix = RevisionKeyPrefix(name);
  ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> earlier,
                         snapshot->Scan({prefix, kv::PrefixEnd(prefix), kMaxRevisions, false}));
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                         snapshot->Get(AssessmentKey(name)));
  std::vector<v1::Assessment> revisions;
  for (const kv::Entry& entry : earlier) {
    ASSAY_ASSIGN_OR_RETURN(AssessmentRecord record, ParseAssessmentRecord(entry.value));
    revisions.push_back(std::move(*record.mutable_assessment()));
  }
  if (!bytes.has_value()) return revisions;
  ASSAY_ASSIGN_OR_RETURN(AssessmentRecord current, ParseAssessmentRecord(*bytes));
  // A deletion says nothing new.
  if (!current.deleted()) revisions.push_back(std::move(*current.mutable_assessment()));
  return revisions;
}

void KvFeedbackStore::Write(RequestKey key, MakeDraft make, Done<Written> done) {
  auto ticket = std::make_shared<SequenceAllocator::Ticket>();
  kv::MutateProto<AssessmentsWrittenRecord>(
      store_, executor_, clock_, std::move(key),
      [this, ticket,
       make = std::move(make)](kv::Transaction& txn) -> absl::StatusOr<AssessmentsWrittenRecord> {
        ASSAY_ASSIGN_OR_RETURN(RecordDraft draft, make(txn));
        AssessmentsWrittenRecord answer;
        answer.set_sequence(draft.unchanged_sequence);
        if (draft.changes.empty()) {
          Show(draft, &answer);
          return answer;
        }
        // After everything was read: of two writers of one assessment, the later one has the
        // greater number.
        *ticket = sequences_.Take(static_cast<int64_t>(draft.changes.size()));
        ASSAY_RETURN_IF_ERROR(PutDraft(txn, ticket->first(), draft));
        answer.set_sequence(draft.changes.back().after.change_sequence());
        Show(draft, &answer);
        return answer;
      },
      [ticket, done = std::move(done)](absl::StatusOr<AssessmentsWrittenRecord> answer) mutable {
        ticket->Return();
        if (!answer.ok()) return std::move(done)(answer.status());
        Written written;
        written.sequence = answer->sequence();
        for (v1::Assessment& assessment : *answer->mutable_assessments()) {
          written.assessments.push_back(std::move(assessment));
        }
        std::move(done)(std::move(written));
      });
}

void KvFeedbackStore::Insert(RequestKey key, std::vector<v1::Assessment> assessments,
                             IfTaken if_taken, Done<Written> done) {
  Write(
      std::move(key),
      [assessments = std::move(assessments), if_taken](kv::Transaction& txn) {
        return DraftOfInsert(txn, assessments, if_taken);
      },
      std::move(done));
}

void KvFeedbackStore::ChangeOne(RequestKey key, names::AssessmentName name, Change change,
                                Done<Written> done) {
  Write(
      std::move(key),
      [name = std::move(name),
       change = std::move(change)](kv::Transaction& txn) -> absl::StatusOr<RecordDraft> {
        ASSAY_ASSIGN_OR_RETURN(AssessmentRecord record, RequireRecord(txn, name));
        ASSAY_ASSIGN_OR_RETURN(v1::Assessment changed, change(record.assessment()));
        RecordDraft draft;
        draft.changes.push_back(Changed(std::move(record), std::move(changed), /*shown=*/true));
        return draft;
      },
      std::move(done));
}

void KvFeedbackStore::OverrideOne(RequestKey key, names::AssessmentName name, MakeOverride make,
                                  Done<Written> done) {
  Write(
      std::move(key),
      [name = std::move(name),
       make = std::move(make)](kv::Transaction& txn) -> absl::StatusOr<RecordDraft> {
        ASSAY_ASSIGN_OR_RETURN(AssessmentRecord record, RequireRecord(txn, name));
        ASSAY_ASSIGN_OR_RETURN(Override made, make(record.assessment()));
        ASSAY_ASSIGN_OR_RETURN(RecordDraft inserted,
                               DraftOfInsert(txn, {made.successor}, IfTaken::kRefuse));
        RecordDraft draft;
        draft.changes.push_back(
            Changed(std::move(record), std::move(made.overridden), /*shown=*/false));
        draft.changes.back().after.set_overridden_by(made.successor.name());
        draft.changes.push_back(std::move(inserted.changes.front()));
        return draft;
      },
      std::move(done));
}

void KvFeedbackStore::DeleteOne(RequestKey key, names::AssessmentName name, Unlink unlink,
                                Done<Written> done) {
  Write(
      std::move(key),
      [name = std::move(name), unlink = std::move(unlink)](kv::Transaction& txn) {
        return DraftOfDelete(txn, name, unlink);
      },
      std::move(done));
}

absl::StatusOr<std::vector<trace::v1::AssessmentChange>> KvFeedbackStore::Pending(
    int limit, size_t max_bytes) const {
  // Before the scan: what is settled now is visible to it.
  const int64_t settled = sequences_.Settled();
  std::vector<trace::v1::AssessmentChange> changes;
  size_t bytes = 0;
  int64_t after = acknowledged_;
  for (;;) {
    const int step = std::min(kOutboxStep, limit - static_cast<int>(changes.size()));
    if (step <= 0) return changes;
    kv::ScanRange range{OutboxKey(after + 1), OutboxKey(settled + 1), step, false};
    ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> entries, store_.Scan(range));
    for (const kv::Entry& entry : entries) {
      OutboxRecord record;
      if (!record.ParseFromString(entry.value)) return Unreadable();
      bytes += entry.value.size();
      if (bytes > max_bytes && !changes.empty()) return changes;
      after = record.change().sequence();
      changes.push_back(std::move(*record.mutable_change()));
    }
    if (entries.size() < static_cast<size_t>(step)) return changes;
  }
}

absl::Status KvFeedbackStore::Acknowledge(int64_t sequence) {
  while (acknowledged_ < sequence) {
    const int64_t from = acknowledged_ + 1;
    const int64_t to = std::min(sequence, acknowledged_ + kMaxDeletesOfOneCommit);
    OutboxPositionRecord position;
    position.set_acknowledged_sequence(to);
    kv::Batch batch;
    // By number, gaps and all: cheaper than to read what is there.
    for (int64_t number = from; number <= to; ++number) batch.Delete(OutboxKey(number));
    batch.Put(PositionKey(), position.SerializeAsString());
    ASSAY_RETURN_IF_ERROR(store_.CommitAndWait(std::move(batch)));
    acknowledged_ = to;
  }
  return absl::OkStatus();
}

}  // namespace assay::feedback
