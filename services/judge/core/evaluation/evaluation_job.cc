#include "services/judge/core/evaluation/evaluation_job.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/exec/await.h"
#include "common/log/log.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "services/judge/core/evaluation/gathering_journal.h"
#include "services/judge/core/judge_needs.h"

namespace assay::judge {
namespace {

using ::assay::storage::v1::EvaluationRecord;
using ::assay::storage::v1::EvaluationTallyRecord;

// Rows read at a time.
constexpr int kReadChunk = 64;
// Rows in work for each that may ask somebody: others wait for their traces meanwhile, or for what
// they came to to be stored. Not while they take much memory.
constexpr int kRowsForEachThatAsks = 4;
constexpr size_t kMaxRowBytes = 16 << 20;
// Results stored in one commit, in bytes; above it the rest goes into the next one.
constexpr size_t kCommitBytes = 16 << 20;

// The names of all assessments but those of scorer `own`.
std::set<std::string> TakenNames(const v1::EvaluationSpec& spec, int own) {
  std::set<std::string> names;
  for (const v1::EvaluationJudge& judge : spec.judges()) names.insert(judge.assessment_name());
  for (int i = 0; i < spec.scorers_size(); ++i) {
    if (i != own) names.insert(spec.scorers(i).scorer());
  }
  return names;
}

// Rows go through their steps in groups, so that a step's call and commit serve many. As many as may
// ask are enough for a group: the others are on their way through other steps meanwhile.
GatheringOptions Groups(int width) {
  GatheringOptions options;
  options.enough = static_cast<size_t>(std::max(width, 1));
  return options;
}

// Rows that have come to an end, on their way to the job's thread.
class Finished {
 public:
  struct Row {
    absl::StatusOr<RowOutcome> outcome;
    size_t bytes = 0;  // Of the row as it was read.
  };

  void Put(Row row) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    rows_.push_back(std::move(row));
    if (rows_.size() == 1 || rows_.size() >= enough_) changed_.SignalAll();
  }
  // Waits for at least one, and for a moment until there are `enough`.
  std::vector<Row> TakeAll(size_t enough) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    enough_ = enough;
    while (rows_.empty()) changed_.Wait(&mutex_);
    while (rows_.size() < enough) {
      if (!changed_.WaitFor(&mutex_, GatheringOptions().patience)) break;
    }
    return std::exchange(rows_, {});
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  size_t enough_ ABSL_GUARDED_BY(mutex_) = 1;
  std::vector<Row> rows_ ABSL_GUARDED_BY(mutex_);
};

class EvaluationJob {
 public:
  EvaluationJob(const JobEnvironment& environment, const names::EvaluationName& name,
                const std::shared_ptr<CancellationToken>& cancel)
      : env_(environment), name_(name), finished_(std::make_shared<Finished>()) {
    context_.cancel = cancel;
    context_.priority = Priority::kJob;
  }

  absl::Status Run() {
    ASSAY_ASSIGN_OR_RETURN(std::optional<EvaluationRecord> record, env_.store.Find(name_));
    if (!record.has_value()) return absl::OkStatus();
    if (record->evaluation().state() != v1::EVALUATION_STATE_RUNNING) return CleanUp(record->uid());
    context_.principal = record->principal();
    context_.depth = record->depth();
    absl::Status planned = MakePlan(*std::move(record));
    if (!planned.ok()) {
      if (context_.Cancelled()) return absl::OkStatus();
      return End(v1::EVALUATION_STATE_FAILED, planned, std::nullopt);
    }
    ASSAY_ASSIGN_OR_RETURN(tally_, env_.store.FindTally(uid()));
    absl::Status worked = Work();
    // Rows in flight use what this job holds.
    while (in_flight_ > 0) in_flight_ -= static_cast<int>(finished_->TakeAll(1).size());
    if (ErrorReason(worked) == "EVALUATION_ENDED") return CleanUp(uid());
    return context_.Cancelled() ? absl::OkStatus() : worked;
  }

 private:
  const std::string& uid() const { return plan_->record.uid(); }

  // After the end, whoever brought it about.
  absl::Status CleanUp(const std::string& uid) {
    env_.troubles.Set(uid, absl::OkStatus());
    return env_.store.ForgetJournal(uid);
  }

  absl::Status MakePlan(EvaluationRecord record) {
    auto plan = std::make_shared<EvaluationPlan>();
    plan->experiment = names::ExperimentName{name_.experiment}.ToString();
    const GatheringOptions groups = Groups(record.evaluation().spec().parallelism());
    plan->journal = std::make_unique<GatheringJournal>(
        env_.store.OpenJournal(record.uid()),
        GatheringPlace{env_.rows.patience.executor(), env_.rows.patience.timers()}, groups);
    plan->report = [&env = env_, uid = record.uid()](const absl::Status& trouble) {
      if (env.troubles.Set(uid, trouble)) env.changed(uid);
    };
    plan->traces = std::make_unique<RowTrace>(env_.rows.traces, env_.rows.patience, env_.rows.clock,
                                              plan->report, groups);
    plan->log = std::make_unique<ResultLog>(
        env_.rows.feedback, env_.rows.patience, plan->report,
        ResultLog::Evaluation{plan->experiment, name_.ToString(), record.uid()}, groups);
    plan->slots = std::make_unique<RowSlots>(
        record.evaluation().spec().parallelism(),
        GatheringPlace{env_.rows.patience.executor(), env_.rows.patience.timers()});
    plan->models = std::make_unique<PatientModelClient>(
        env_.rows.models, env_.rows.patience, env_.rows.clock, env_.rows.model_wait, plan->report);
    const v1::EvaluationSpec& spec = record.evaluation().spec();
    for (int i = 0; i < spec.judges_size(); ++i) {
      ASSAY_ASSIGN_OR_RETURN(ResolvedJudge judge, Resolve(spec.judges(i), plan->report));
      plan->shows_trace = plan->shows_trace || NeedsSpans(*judge.definition);
      plan->judges.push_back(std::move(judge));
    }
    for (int i = 0; i < spec.scorers_size(); ++i) plan->taken_names.push_back(TakenNames(spec, i));
    plan->record = std::move(record);
    plan_ = std::move(plan);
    return absl::OkStatus();
  }

  absl::StatusOr<ResolvedJudge> Resolve(const v1::EvaluationJudge& judge,
                                        const TroubleReport& report) {
    if (judge.has_definition()) {
      return JudgeResolver::Inline(judge.definition(), judge.assessment_name(), "definition");
    }
    return Await<ResolvedJudge>([&](Done<ResolvedJudge> done) {
      env_.rows.patience.Persist<ResolvedJudge>(
          context_.cancel, report,
          [&](Done<ResolvedJudge> answered) {
            env_.resolver.Registered(judge.registered(), judge.assessment_name(), context_,
                                     std::move(answered));
          },
          std::move(done));
    });
  }

  absl::Status Work() {
    const int width = plan_->record.evaluation().spec().parallelism();
    while (!context_.Cancelled()) {
      ASSAY_RETURN_IF_ERROR(StartRows(width));
      if (in_flight_ > 0) {
        const size_t most = static_cast<size_t>(in_flight_);
        ASSAY_RETURN_IF_ERROR(Store(finished_->TakeAll(std::min(Groups(width).enough, most))));
        continue;
      }
      ASSAY_ASSIGN_OR_RETURN(const bool is_over, TryToEnd());
      if (is_over) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  // Whether another row may be in work beside those that are.
  bool HasRoom(int width) const {
    if (in_flight_ < width) return true;
    // One at a time: they go in their order.
    if (width == 1) return false;
    return in_flight_ < kRowsForEachThatAsks * width && in_flight_bytes_ < kMaxRowBytes;
  }

  // Starts rows until enough are in work or none is left.
  absl::Status StartRows(int width) {
    while (HasRoom(width)) {
      if (read_.empty()) {
        ASSAY_ASSIGN_OR_RETURN(std::vector<StoredRow> rows,
                               env_.store.ReadRows(uid(), next_row_, kReadChunk));
        if (rows.empty()) return absl::OkStatus();
        next_row_ = rows.back().index + 1;
        for (StoredRow& row : rows) {
          if (!row.result.has_value()) read_.push_back(std::move(row));
        }
        continue;
      }
      ++in_flight_;
      const size_t bytes = read_.front().row.ByteSizeLong();
      in_flight_bytes_ += bytes;
      RunRow(env_.rows, plan_, std::move(read_.front()), context_,
             EnsureCalled<RowOutcome>(
                 [finished = finished_, bytes](absl::StatusOr<RowOutcome> outcome) {
                   finished->Put({std::move(outcome), bytes});
                 }));
      read_.pop_front();
    }
    return absl::OkStatus();
  }

  absl::Status Store(std::vector<Finished::Row> rows) {
    in_flight_ -= static_cast<int>(rows.size());
    for (const Finished::Row& row : rows) in_flight_bytes_ -= row.bytes;
    std::vector<v1::EvaluationRowResult> results;
    size_t bytes = 0;
    for (Finished::Row& row : rows) {
      absl::StatusOr<RowOutcome>& outcome = row.outcome;
      if (!outcome.ok()) return outcome.status();
      AddToTally(*outcome, plan_->record.value_types(), &tally_);
      bytes += outcome->result.ByteSizeLong();
      results.push_back(std::move(outcome->result));
      if (bytes < kCommitBytes) continue;
      ASSAY_RETURN_IF_ERROR(env_.store.CommitRows(uid(), results, tally_));
      results.clear();
      bytes = 0;
    }
    if (!results.empty()) {
      ASSAY_RETURN_IF_ERROR(env_.store.CommitRows(uid(), results, tally_));
    }
    env_.changed(uid());
    return absl::OkStatus();
  }

  // Every row that was there is done. True if there is nothing to do any more, for now or for ever.
  absl::StatusOr<bool> TryToEnd() {
    ASSAY_ASSIGN_OR_RETURN(std::optional<EvaluationRecord> record, env_.store.Find(name_));
    if (!record.has_value()) return true;
    if (record->rows_total() > next_row_) return false;
    if (!record->rows_closed()) return true;
    ASSAY_RETURN_IF_ERROR(End(v1::EVALUATION_STATE_SUCCEEDED, absl::OkStatus(), next_row_));
    return true;
  }

  absl::Status End(v1::EvaluationState state, const absl::Status& why,
                   std::optional<int64_t> if_rows) {
    EvaluationEnd end;
    end.state = state;
    end.time = env_.rows.clock.Now();
    end.if_rows = if_rows;
    if (!why.ok()) {
      const std::string reason = ErrorReason(why);
      end.error.set_code(reason.empty() ? "EVALUATION_FAILED" : reason);
      end.error.set_message(std::string(ToStd(why.message())));
    }
    ASSAY_ASSIGN_OR_RETURN(EvaluationRecord record,
                           Await<EvaluationRecord>([&](Done<EvaluationRecord> done) {
                             env_.store.End(name_, std::move(end), std::move(done));
                           }));
    log::Info("evaluation ended", {{"evaluation", name_.ToString()},
                                   {"state", v1::EvaluationState_Name(record.evaluation().state())},
                                   {"rows", record.rows_total()}});
    env_.changed(record.uid());
    return CleanUp(record.uid());
  }

  const JobEnvironment& env_;
  const names::EvaluationName name_;
  const std::shared_ptr<Finished> finished_;
  CallContext context_;
  std::shared_ptr<const EvaluationPlan> plan_;
  EvaluationTallyRecord tally_;
  std::deque<StoredRow> read_;
  int64_t next_row_ = 0;
  int in_flight_ = 0;
  size_t in_flight_bytes_ = 0;
};

}  // namespace

absl::Status RunEvaluation(const JobEnvironment& environment, const names::EvaluationName& name,
                           const std::shared_ptr<CancellationToken>& cancel) {
  return EvaluationJob(environment, name, cancel).Run();
}

}  // namespace assay::judge
