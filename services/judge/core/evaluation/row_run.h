// One row of an evaluation: ask the application, see to the trace, ask judges and scorers, log what
// they said.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_RUN_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_RUN_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "assay/storage/v1/judge_records.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "common/jobs/journal.h"
#include "services/judge/core/calls/feedback_port.h"
#include "services/judge/core/calls/trace_port.h"
#include "services/judge/core/evaluation/evaluation_store.h"
#include "services/judge/core/evaluation/evaluation_summary.h"
#include "services/judge/core/evaluation/patience.h"
#include "services/judge/core/evaluation/patient_model_client.h"
#include "services/judge/core/evaluation/result_log.h"
#include "services/judge/core/evaluation/row_slots.h"
#include "services/judge/core/evaluation/row_trace.h"
#include "services/judge/core/judge_runner.h"
#include "services/judge/core/user_ports.h"

namespace assay::judge {

// What rows are run with; outlives them.
struct RowEnvironment {
  JudgeRunner& runner;
  TracePort& traces;
  FeedbackPort& feedback;
  ScorerPort& scorers;
  PredictorPort& predictors;
  ModelClient& models;
  const Patience& patience;
  Executor& executor;
  Clock& clock;
  // How long rows wait for a model that is not asked because it failed several times in a row.
  absl::Duration model_wait = absl::Minutes(10);
};

// What all rows of an evaluation have in common.
struct EvaluationPlan {
  storage::v1::EvaluationRecord record;
  std::string experiment;                          // Its resource name.
  std::vector<ResolvedJudge> judges;               // In the order of the specification.
  std::vector<std::set<std::string>> taken_names;  // For each scorer: names of all others.
  bool shows_trace = false;                        // Whether a judge looks at spans.
  std::unique_ptr<jobs::Journal> journal;
  std::unique_ptr<RowTrace> traces;
  std::unique_ptr<ResultLog> log;
  TroubleReport report;
  std::unique_ptr<PatientModelClient> models;
  std::unique_ptr<RowSlots> slots;
};

// The id of a row's trace: the same on every run.
std::string RowTraceId(std::string_view uid, int64_t row);

// Blocks for a read of the journal. `done` is called exactly once, perhaps inline. What goes wrong
// with the row stands in its outcome (`predict_error`; ERROR and SKIPPED feedbacks); peers that are
// away are waited for. Errors: CANCELLED, and what the journal has. What was answered is journaled:
// running the row again asks and logs nothing twice.
void RunRow(const RowEnvironment& environment, std::shared_ptr<const EvaluationPlan> plan,
            StoredRow row, CallContext context, Done<RowOutcome> done);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_RUN_H_
