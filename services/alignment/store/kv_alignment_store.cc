#include "services/alignment/store/kv_alignment_store.h"

#include <utility>

#include "assay/storage/v1/alignment_records.pb.h"
#include "common/kv/keys.h"
#include "common/kv/kv_journal.h"
#include "common/kv/mutate.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/alignment/store/alignment_keys.h"
#include "services/alignment/store/case_record.h"

namespace assay::alignment {
namespace {

using ::assay::storage::v1::AlignmentInputRecord;
using ::assay::storage::v1::AlignmentRecord;
using ::assay::storage::v1::AlignmentResultRecord;
using ::assay::storage::v1::LabelledCaseRecord;

constexpr uint32_t kSchema = 1;
constexpr int64_t kCasesPerScan = 500;
constexpr int64_t kMaxRunning = 10'000;
// Ends a mutation that only looks for a recorded answer.
constexpr std::string_view kNotRecorded = "REQUEST_NOT_RECORDED";

template <class Record>
absl::StatusOr<Record> ParseRecord(const std::string& bytes) {
  Record record;
  if (!record.ParseFromString(bytes)) {
    return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                     "a record of the alignment service cannot be read");
  }
  return record;
}

std::string AlignmentBytes(const v1::Alignment& alignment) {
  AlignmentRecord record;
  record.set_schema_version(kSchema);
  *record.mutable_alignment() = alignment;
  record.mutable_alignment()->clear_candidate();
  record.mutable_alignment()->clear_report();
  return record.SerializeAsString();
}

std::string ResultBytes(const AlignmentResult& result) {
  AlignmentResultRecord record;
  record.set_schema_version(kSchema);
  *record.mutable_candidate() = result.candidate;
  *record.mutable_report() = result.report;
  return record.SerializeAsString();
}

void PutAlignment(kv::Transaction& txn, const names::AlignmentName& name,
                  const v1::Alignment& alignment) {
  txn.Put(AlignmentKey(name), AlignmentBytes(alignment));
  if (alignment.state() == v1::ALIGNMENT_STATE_RUNNING) {
    txn.Put(RunningKey(name), "");
  } else {
    txn.Delete(RunningKey(name));
  }
}

void PutInput(kv::Transaction& txn, const names::AlignmentName& name, const AlignmentInput& input) {
  AlignmentInputRecord record;
  record.set_schema_version(kSchema);
  record.set_uid(input.uid);
  record.set_judge(input.judge);
  *record.mutable_base() = input.base;
  record.set_case_count(static_cast<uint32_t>(input.cases.size()));
  txn.Put(InputKey(name), record.SerializeAsString());
  for (size_t i = 0; i < input.cases.size(); ++i) {
    txn.Put(CaseKey(name, static_cast<uint32_t>(i)), ToRecord(input.cases[i]).SerializeAsString());
  }
}

}  // namespace

absl::StatusOr<std::optional<v1::Alignment>> KvAlignmentStore::Find(
    const names::AlignmentName& name) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(AlignmentKey(name)));
  if (!bytes.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(AlignmentRecord record, ParseRecord<AlignmentRecord>(*bytes));
  return std::move(*record.mutable_alignment());
}

absl::StatusOr<std::optional<AlignmentResult>> KvAlignmentStore::FindResult(
    const names::AlignmentName& name) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(ResultKey(name)));
  if (!bytes.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(AlignmentResultRecord record, ParseRecord<AlignmentResultRecord>(*bytes));
  return AlignmentResult{std::move(*record.mutable_candidate()),
                         std::move(*record.mutable_report())};
}

absl::StatusOr<AlignmentInput> KvAlignmentStore::ReadInput(const names::AlignmentName& name) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(InputKey(name)));
  if (!bytes.has_value()) return NotFound("alignment", name.ToString());
  ASSAY_ASSIGN_OR_RETURN(AlignmentInputRecord record, ParseRecord<AlignmentInputRecord>(*bytes));
  AlignmentInput input;
  input.uid = record.uid();
  input.judge = record.judge();
  input.base = std::move(*record.mutable_base());
  while (input.cases.size() < record.case_count()) {
    kv::ScanRange range;
    range.begin = CaseKey(name, static_cast<uint32_t>(input.cases.size()));
    range.end = kv::PrefixEnd(CaseKeyPrefix(name));
    range.limit = kCasesPerScan;
    ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries, store_.Scan(range));
    if (entries.empty()) {
      return MakeError(absl::StatusCode::kDataLoss, "RECORD_MISSING",
                       "labelled cases of " + name.ToString() + " are missing");
    }
    for (const kv::Entry& entry : entries) {
      ASSAY_ASSIGN_OR_RETURN(LabelledCaseRecord one, ParseRecord<LabelledCaseRecord>(entry.value));
      input.cases.push_back(FromRecord(one));
    }
  }
  return input;
}

absl::StatusOr<std::vector<v1::Alignment>> KvAlignmentStore::List(std::string_view experiment,
                                                                  std::string_view after,
                                                                  int limit) const {
  const std::string prefix = AlignmentKeyPrefix(experiment);
  kv::ScanRange range;
  range.begin = after.empty() ? prefix
                              : AlignmentKey({std::string(experiment), std::string(after)}) +
                                    std::string(1, '\0');
  range.end = kv::PrefixEnd(prefix);
  range.limit = limit;
  ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries, store_.Scan(range));
  std::vector<v1::Alignment> alignments;
  alignments.reserve(entries.size());
  for (const kv::Entry& entry : entries) {
    ASSAY_ASSIGN_OR_RETURN(AlignmentRecord record, ParseRecord<AlignmentRecord>(entry.value));
    alignments.push_back(std::move(*record.mutable_alignment()));
  }
  return alignments;
}

absl::StatusOr<std::vector<names::AlignmentName>> KvAlignmentStore::ListRunning() const {
  kv::ScanRange range;
  range.begin = RunningKeyPrefix();
  range.end = kv::PrefixEnd(range.begin);
  range.limit = kMaxRunning;
  ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries, store_.Scan(range));
  std::vector<names::AlignmentName> running;
  for (const kv::Entry& entry : entries) {
    ASSAY_ASSIGN_OR_RETURN(names::AlignmentName name, DecodeRunningKey(entry.key));
    running.push_back(std::move(name));
  }
  return running;
}

void KvAlignmentStore::FindAnswer(RequestKey key, Done<std::optional<v1::Alignment>> done) {
  kv::MutateProto<v1::Alignment>(
      store_, executor_, clock_, std::move(key),
      [](kv::Transaction&) -> absl::StatusOr<v1::Alignment> {
        return MakeError(absl::StatusCode::kNotFound, kNotRecorded, "the request is new");
      },
      [done = std::move(done)](absl::StatusOr<v1::Alignment> answer) mutable {
        if (answer.ok()) return std::move(done)(std::optional<v1::Alignment>(*std::move(answer)));
        if (ErrorReason(answer.status()) == kNotRecorded) {
          return std::move(done)(std::optional<v1::Alignment>());
        }
        std::move(done)(answer.status());
      });
}

void KvAlignmentStore::Insert(RequestKey key, v1::Alignment alignment, AlignmentInput input,
                              Done<v1::Alignment> done) {
  kv::MutateProto<v1::Alignment>(
      store_, executor_, clock_, std::move(key),
      [alignment = std::move(alignment),
       input = std::move(input)](kv::Transaction& txn) -> absl::StatusOr<v1::Alignment> {
        ASSAY_ASSIGN_OR_RETURN(const names::AlignmentName name,
                               names::AlignmentName::Parse(alignment.name()));
        ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> taken, txn.Get(AlignmentKey(name)));
        if (taken.has_value()) return AlreadyExists("alignment", alignment.name());
        PutAlignment(txn, name, alignment);
        PutInput(txn, name, input);
        return alignment;
      },
      std::move(done));
}

void KvAlignmentStore::Apply(RequestKey key, names::AlignmentName name, Change change,
                             std::optional<AlignmentResult> result, Done<v1::Alignment> done) {
  kv::MutateProto<v1::Alignment>(
      store_, executor_, clock_, std::move(key),
      [name = std::move(name), change = std::move(change),
       result = std::move(result)](kv::Transaction& txn) -> absl::StatusOr<v1::Alignment> {
        ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, txn.Get(AlignmentKey(name)));
        if (!bytes.has_value()) return NotFound("alignment", name.ToString());
        ASSAY_ASSIGN_OR_RETURN(AlignmentRecord record, ParseRecord<AlignmentRecord>(*bytes));
        ASSAY_ASSIGN_OR_RETURN(v1::Alignment changed, change(record.alignment()));
        PutAlignment(txn, name, changed);
        if (result.has_value()) txn.Put(ResultKey(name), ResultBytes(*result));
        return changed;
      },
      std::move(done));
}

std::unique_ptr<jobs::Journal> KvAlignmentStore::OpenJournal(const std::string& uid) {
  return std::make_unique<kv::KvJournal>(store_, uid);
}

absl::Status KvAlignmentStore::ForgetJournal(const std::string& uid) {
  return kv::KvJournal(store_, uid).Forget();
}

}  // namespace assay::alignment
