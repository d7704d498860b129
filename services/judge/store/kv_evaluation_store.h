// Evaluations on a key-value store.
#ifndef ASSAY_SERVICES_JUDGE_STORE_KV_EVALUATION_STORE_H_
#define ASSAY_SERVICES_JUDGE_STORE_KV_EVALUATION_STORE_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "services/judge/core/evaluation/evaluation_store.h"

namespace assay::judge {

inline constexpr uint32_t kJudgeSchemaVersion = 1;

class KvEvaluationStore final : public EvaluationStore {
 public:
  // All three outlive the store, its journals and the `done`s of its writes.
  KvEvaluationStore(kv::Store& store, Executor& executor, Clock& clock)
      : store_(store), executor_(executor), clock_(clock) {}

  absl::StatusOr<std::optional<storage::v1::EvaluationRecord>> Find(
      const names::EvaluationName& name) const override;
  absl::StatusOr<std::vector<storage::v1::EvaluationRecord>> List(std::string_view experiment,
                                                                  std::string_view after,
                                                                  int limit) const override;
  absl::StatusOr<std::vector<names::EvaluationName>> ListRunning() const override;
  absl::StatusOr<storage::v1::EvaluationTallyRecord> FindTally(std::string_view uid) const override;
  absl::StatusOr<std::vector<StoredRow>> ReadRows(std::string_view uid, int64_t from,
                                                  int limit) const override;
  void Insert(RequestKey key, storage::v1::EvaluationRecord record,
              std::vector<v1::EvaluationRow> rows,
              Done<storage::v1::EvaluationRecord> done) override;
  void AppendRows(RequestKey key, names::EvaluationName name, std::vector<v1::EvaluationRow> rows,
                  bool last, Done<int64_t> done) override;
  void End(names::EvaluationName name, EvaluationEnd end,
           Done<storage::v1::EvaluationRecord> done) override;
  absl::Status CommitRows(std::string_view uid, absl::Span<const v1::EvaluationRowResult> results,
                          const storage::v1::EvaluationTallyRecord& tally) override;
  std::unique_ptr<jobs::Journal> OpenJournal(std::string_view uid) override;
  absl::Status ForgetJournal(std::string_view uid) override;

 private:
  kv::Store& store_;
  Executor& executor_;
  Clock& clock_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_STORE_KV_EVALUATION_STORE_H_
