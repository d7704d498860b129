#include "services/judge/store/kv_evaluation_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/kv/keys.h"
#include "common/kv/kv_journal.h"
#include "common/kv/mutate.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/judge/store/judge_keys.h"

namespace assay::judge {
namespace {

using ::assay::storage::v1::EvaluationRecord;
using ::assay::storage::v1::EvaluationRowRecord;
using ::assay::storage::v1::EvaluationRowResultRecord;
using ::assay::storage::v1::EvaluationTallyRecord;

// Evaluations at work that are listed in one scan.
constexpr int64_t kRunningScan = 10'000;

template <class Record>
absl::StatusOr<Record> ParseRecord(std::string_view bytes) {
  Record record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                     "a record of the judge service cannot be read");
  }
  return record;
}

std::string RowBytes(v1::EvaluationRow row) {
  EvaluationRowRecord record;
  record.set_schema_version(1);
  *record.mutable_row() = std::move(row);
  return record.SerializeAsString();
}

std::string ResultBytes(const v1::EvaluationRowResult& result) {
  EvaluationRowResultRecord record;
  record.set_schema_version(1);
  *record.mutable_result() = result;
  return record.SerializeAsString();
}

// As many entries as fit one scan, at most `limit`.
absl::StatusOr<std::vector<kv::Entry>> ScanWhatFits(const kv::Reader& reader, kv::ScanRange range) {
  while (true) {
    absl::StatusOr<std::vector<kv::Entry>> entries = reader.Scan(range);
    if (entries.ok() || range.limit == 1 ||
        entries.status().code() != absl::StatusCode::kResourceExhausted) {
      return entries;
    }
    range.limit = std::max<int64_t>(range.limit / 4, 1);
  }
}

absl::StatusOr<EvaluationRecord> Require(kv::Transaction& txn, const names::EvaluationName& name) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, txn.Get(EvaluationKey(name)));
  if (!bytes.has_value()) return NotFound("evaluation", name.ToString());
  return ParseRecord<EvaluationRecord>(*bytes);
}

absl::Status EvaluationEnded() {
  return MakeError(absl::StatusCode::kFailedPrecondition, "EVALUATION_ENDED",
                   "the evaluation has ended");
}

}  // namespace

absl::StatusOr<std::optional<EvaluationRecord>> KvEvaluationStore::Find(
    const names::EvaluationName& name) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(EvaluationKey(name)));
  if (!bytes.has_value()) return std::nullopt;
  return ParseRecord<EvaluationRecord>(*bytes);
}

absl::StatusOr<std::vector<EvaluationRecord>> KvEvaluationStore::List(std::string_view experiment,
                                                                      std::string_view after,
                                                                      int limit) const {
  kv::ScanRange range;
  range.begin = EvaluationKeyPrefix(experiment);
  range.end = kv::PrefixEnd(range.begin);
  range.limit = limit;
  if (!after.empty()) {
    range.begin = EvaluationKey({std::string(experiment), std::string(after)}) + '\0';
  }
  ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries, ScanWhatFits(store_, std::move(range)));
  std::vector<EvaluationRecord> records;
  records.reserve(entries.size());
  for (const kv::Entry& entry : entries) {
    ASSAY_ASSIGN_OR_RETURN(EvaluationRecord record, ParseRecord<EvaluationRecord>(entry.value));
    records.push_back(std::move(record));
  }
  return records;
}

absl::StatusOr<std::vector<names::EvaluationName>> KvEvaluationStore::ListRunning() const {
  std::vector<names::EvaluationName> names;
  kv::ScanRange range;
  range.begin = RunningKeyPrefix();
  range.end = kv::PrefixEnd(range.begin);
  range.limit = kRunningScan;
  while (true) {
    ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries, store_.Scan(range));
    for (const kv::Entry& entry : entries) {
      ASSAY_ASSIGN_OR_RETURN(names::EvaluationName name, names::EvaluationName::Parse(entry.value));
      names.push_back(std::move(name));
    }
    if (static_cast<int64_t>(entries.size()) < range.limit) return names;
    range.begin = entries.back().key + '\0';
  }
}

absl::StatusOr<EvaluationTallyRecord> KvEvaluationStore::FindTally(std::string_view uid) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(TallyKey(uid)));
  if (!bytes.has_value()) return EvaluationTallyRecord();
  return ParseRecord<EvaluationTallyRecord>(*bytes);
}

absl::StatusOr<std::vector<StoredRow>> KvEvaluationStore::ReadRows(std::string_view uid,
                                                                   int64_t from, int limit) const {
  std::unique_ptr<const kv::Reader> snapshot = store_.Snapshot();
  ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries,
                         ScanWhatFits(*snapshot, {.begin = RowKey(uid, from),
                                                  .end = kv::PrefixEnd(RowKeyPrefix(uid)),
                                                  .limit = limit}));
  std::vector<StoredRow> rows;
  std::vector<std::string> result_keys;
  for (const kv::Entry& entry : entries) {
    ASSAY_ASSIGN_OR_RETURN(RowPosition position, DecodeRowKey(entry.key));
    ASSAY_ASSIGN_OR_RETURN(EvaluationRowRecord record,
                           ParseRecord<EvaluationRowRecord>(entry.value));
    result_keys.push_back(ResultKey(uid, position.index));
    StoredRow& row = rows.emplace_back();
    row.index = position.index;
    row.row = std::move(*record.mutable_row());
  }
  ASSAY_ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> results,
                         snapshot->MultiGet(result_keys));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!results[i].has_value()) continue;
    ASSAY_ASSIGN_OR_RETURN(EvaluationRowResultRecord record,
                           ParseRecord<EvaluationRowResultRecord>(*results[i]));
    rows[i].result = std::move(*record.mutable_result());
  }
  return rows;
}

void KvEvaluationStore::Insert(RequestKey key, EvaluationRecord record,
                               std::vector<v1::EvaluationRow> rows, Done<EvaluationRecord> done) {
  kv::MutateProto<EvaluationRecord>(
      store_, executor_, clock_, std::move(key),
      [record = std::move(record),
       rows = std::move(rows)](kv::Transaction& txn) -> absl::StatusOr<EvaluationRecord> {
        ASSAY_ASSIGN_OR_RETURN(names::EvaluationName name,
                               names::EvaluationName::Parse(record.evaluation().name()));
        ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> taken, txn.Get(EvaluationKey(name)));
        if (taken.has_value()) return AlreadyExists("evaluation", name.ToString());
        txn.Put(EvaluationKey(name), record.SerializeAsString());
        txn.Put(RunningKey(record.uid()), name.ToString());
        for (size_t i = 0; i < rows.size(); ++i) {
          txn.Put(RowKey(record.uid(), static_cast<int64_t>(i)), RowBytes(rows[i]));
        }
        return record;
      },
      std::move(done));
}

void KvEvaluationStore::AppendRows(RequestKey key, names::EvaluationName name,
                                   std::vector<v1::EvaluationRow> rows, bool last,
                                   Done<int64_t> done) {
  kv::MutateProto<v1::AppendEvaluationRowsResponse>(
      store_, executor_, clock_, std::move(key),
      [name = std::move(name), rows = std::move(rows),
       last](kv::Transaction& txn) -> absl::StatusOr<v1::AppendEvaluationRowsResponse> {
        ASSAY_ASSIGN_OR_RETURN(EvaluationRecord record, Require(txn, name));
        if (record.rows_closed() || record.evaluation().state() != v1::EVALUATION_STATE_RUNNING) {
          return PreconditionFailed("ROWS_CLOSED", name.ToString(),
                                    "its rows are closed; no more can be appended");
        }
        for (const v1::EvaluationRow& row : rows) {
          txn.Put(RowKey(record.uid(), record.rows_total()), RowBytes(row));
          record.set_rows_total(record.rows_total() + 1);
        }
        record.set_rows_closed(last);
        txn.Put(EvaluationKey(name), record.SerializeAsString());
        v1::AppendEvaluationRowsResponse response;
        response.set_rows_total(record.rows_total());
        return response;
      },
      [done = std::move(done)](absl::StatusOr<v1::AppendEvaluationRowsResponse> answer) mutable {
        if (!answer.ok()) return std::move(done)(answer.status());
        std::move(done)(answer->rows_total());
      });
}

void KvEvaluationStore::End(names::EvaluationName name, EvaluationEnd end,
                            Done<EvaluationRecord> done) {
  kv::MutateProto<EvaluationRecord>(
      store_, executor_, clock_, RequestKey{},
      [name = std::move(name),
       end = std::move(end)](kv::Transaction& txn) -> absl::StatusOr<EvaluationRecord> {
        ASSAY_ASSIGN_OR_RETURN(EvaluationRecord record, Require(txn, name));
        if (record.evaluation().state() != v1::EVALUATION_STATE_RUNNING) return record;
        if (end.if_rows.has_value() &&
            (!record.rows_closed() || record.rows_total() != *end.if_rows)) {
          return record;
        }
        record.mutable_evaluation()->set_state(end.state);
        if (end.state == v1::EVALUATION_STATE_FAILED) {
          *record.mutable_evaluation()->mutable_error() = end.error;
        }
        *record.mutable_evaluation()->mutable_end_time() = proto::ToTimestamp(end.time);
        txn.Put(EvaluationKey(name), record.SerializeAsString());
        txn.Delete(RunningKey(record.uid()));
        return record;
      },
      std::move(done));
}

absl::Status KvEvaluationStore::CommitRows(std::string_view uid,
                                           absl::Span<const v1::EvaluationRowResult> results,
                                           const EvaluationTallyRecord& tally) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> running, store_.Get(RunningKey(uid)));
  if (!running.has_value()) return EvaluationEnded();
  kv::Batch batch;
  // Ending an evaluation removes the mark: what it came to does not change afterwards.
  batch.CheckEquals(RunningKey(uid), *std::move(running));
  for (const v1::EvaluationRowResult& result : results) {
    batch.Put(ResultKey(uid, result.row()), ResultBytes(result));
  }
  batch.Put(TallyKey(uid), tally.SerializeAsString());
  absl::Status committed = store_.CommitAndWait(std::move(batch));
  return kv::IsCheckFailed(committed) ? EvaluationEnded() : committed;
}

std::unique_ptr<jobs::Journal> KvEvaluationStore::OpenJournal(std::string_view uid) {
  return std::make_unique<kv::KvJournal>(store_, std::string(uid));
}

absl::Status KvEvaluationStore::ForgetJournal(std::string_view uid) {
  return kv::KvJournal(store_, std::string(uid)).Forget();
}

}  // namespace assay::judge
