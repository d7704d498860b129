// The job of one evaluation: works through its rows, several at a time, and stores what they come
// to.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_JOB_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_JOB_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/exec/cancellation.h"
#include "common/names/resource_name.h"
#include "services/judge/core/calls/judge_resolver.h"
#include "services/judge/core/evaluation/evaluation_store.h"
#include "services/judge/core/evaluation/evaluation_troubles.h"
#include "services/judge/core/evaluation/row_run.h"

namespace assay::judge {

// What jobs are run with; outlives them.
struct JobEnvironment {
  RowEnvironment rows;
  EvaluationStore& store;
  const JudgeResolver& resolver;
  EvaluationTroubles& troubles;
  std::function<void(const std::string& uid)> changed;  // Called after each visible change.
};

// Runs the evaluation until it has ended, `cancel` is cancelled, or every row so far is done while
// more may come (OK). Blocks; holds a few rows in memory, never all. What is done stays done: run
// again, it goes on from there. Errors are those of the store, and leave the evaluation running.
absl::Status RunEvaluation(const JobEnvironment& environment, const names::EvaluationName& name,
                           const std::shared_ptr<CancellationToken>& cancel);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_JOB_H_
