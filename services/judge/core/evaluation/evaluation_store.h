// Where evaluations are kept: the evaluation, its rows, their results and what these add up to.
//
// Implementation: KvEvaluationStore (services/judge/store) on any kv::Store. The conformance suite
// in services/judge/testing runs on the RocksDB engine and on the in-memory fake.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_STORE_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "assay/storage/v1/judge_records.pb.h"
#include "common/exec/done.h"
#include "common/jobs/journal.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"

namespace assay::judge {

// A row and, once it is done, its result.
struct StoredRow {
  int64_t index = 0;
  v1::EvaluationRow row;
  std::optional<v1::EvaluationRowResult> result;  // Without inputs that stand in the row.
};

// How an evaluation ends.
struct EvaluationEnd {
  v1::EvaluationState state = v1::EVALUATION_STATE_UNSPECIFIED;
  common::v1::FeedbackError error;  // Only for FAILED.
  absl::Time time;
  // Ends only if the rows are closed and this many; otherwise nothing changes.
  std::optional<int64_t> if_rows;
};

// Thread-safe. Reads block on storage and see every acknowledged write. Writes that take a Done are
// durable before it is called, once, on the store's executor; those that take a RequestKey record
// their answer under it in the same commit.
class EvaluationStore {
 public:
  virtual ~EvaluationStore() = default;

  virtual absl::StatusOr<std::optional<storage::v1::EvaluationRecord>> Find(
      const names::EvaluationName& name) const = 0;
  // By id, after `after` ("" for the first), at most `limit`.
  virtual absl::StatusOr<std::vector<storage::v1::EvaluationRecord>> List(
      std::string_view experiment, std::string_view after, int limit) const = 0;
  virtual absl::StatusOr<std::vector<names::EvaluationName>> ListRunning() const = 0;
  // All zero if no row is done.
  virtual absl::StatusOr<storage::v1::EvaluationTallyRecord> FindTally(
      std::string_view uid) const = 0;
  // Rows from index `from` on, in order, at most `limit`; fewer if they are large, but at least one
  // if there is one.
  virtual absl::StatusOr<std::vector<StoredRow>> ReadRows(std::string_view uid, int64_t from,
                                                          int limit) const = 0;

  // ALREADY_EXISTS if the name is taken. `rows` become the rows from 0 on; the record's rows_total
  // says how many they are.
  virtual void Insert(RequestKey key, storage::v1::EvaluationRecord record,
                      std::vector<v1::EvaluationRow> rows,
                      Done<storage::v1::EvaluationRecord> done) = 0;
  // Answers with how many rows there are now. NOT_FOUND; FAILED_PRECONDITION (ROWS_CLOSED) if the
  // rows are closed or the evaluation has ended.
  virtual void AppendRows(RequestKey key, names::EvaluationName name,
                          std::vector<v1::EvaluationRow> rows, bool last, Done<int64_t> done) = 0;
  // Ends a running evaluation and answers with it; one that has ended already stays as it is.
  // NOT_FOUND.
  virtual void End(names::EvaluationName name, EvaluationEnd end,
                   Done<storage::v1::EvaluationRecord> done) = 0;

  // Stores results and the tally that counts them, in one commit; blocks. Only the evaluation's job
  // calls it. FAILED_PRECONDITION (EVALUATION_ENDED), nothing changed, if it is not running any
  // more.
  virtual absl::Status CommitRows(std::string_view uid,
                                  absl::Span<const v1::EvaluationRowResult> results,
                                  const storage::v1::EvaluationTallyRecord& tally) = 0;

  // The journal of the evaluation's job; the store outlives it.
  virtual std::unique_ptr<jobs::Journal> OpenJournal(std::string_view uid) = 0;
  // Removes the journal of an evaluation that has ended; blocks.
  virtual absl::Status ForgetJournal(std::string_view uid) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_STORE_H_
