// Logs a row's results as assessments of its trace.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_LOG_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_LOG_H_

#include <string>
#include <vector>

#include "assay/judge/v1/evaluation_service.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/calls/feedback_port.h"
#include "services/judge/core/evaluation/patience.h"

namespace assay::judge {

struct RowLog {
  std::string experiment;
  std::string evaluation;
  std::string trace;
  std::string request_id;  // The same on every run of the row.
  std::vector<v1::EvaluationResult> results;
};

// Answers with the results, `assessment` filled in. Waits while the feedback service is away. A
// result that it refuses becomes an ERROR with code ASSESSMENT_REFUSED, and is logged as that; what
// cannot be logged at all keeps its verdict and has no `assessment`. `done` is called exactly once;
// inline only if there is nothing to log. Errors: CANCELLED. The references outlive the call.
void LogRow(FeedbackPort& feedback, const Patience& patience, const TroubleReport& report,
            RowLog log, CallContext context, Done<std::vector<v1::EvaluationResult>> done);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_LOG_H_
