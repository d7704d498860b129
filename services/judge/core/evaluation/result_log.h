// Logs rows' results as assessments of their traces, those of many rows in one call.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_RESULT_LOG_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_RESULT_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/judge/v1/evaluation_service.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/calls/feedback_port.h"
#include "services/judge/core/evaluation/gathering.h"
#include "services/judge/core/evaluation/patience.h"

namespace assay::judge {

// The results of a row, in the same order on every run.
struct RowResults {
  int64_t row = 0;
  std::string trace;
  std::vector<v1::EvaluationResult> results;
};

// The log of one evaluation. Thread-safe. `feedback` and `patience` outlive it; it outlives the
// `done`s of its calls.
class ResultLog {
 public:
  struct Evaluation {
    std::string experiment;  // Its resource name.
    std::string name;        // The same.
    std::string uid;
  };

  ResultLog(FeedbackPort& feedback, const Patience& patience, TroubleReport report,
            Evaluation evaluation, const GatheringOptions& groups);

  // Answers with the results, `assessment` filled in. Waits while the feedback service is away. A
  // result that it refuses becomes an ERROR with code ASSESSMENT_REFUSED, and is logged as that;
  // what cannot be logged at all keeps its verdict and has no `assessment`. Each assessment's id
  // says evaluation, row and place: a row that is logged again is there once. `done` is called
  // exactly once; inline only if there is nothing to log. Errors: CANCELLED.
  void Log(RowResults row, CallContext context, Done<std::vector<v1::EvaluationResult>> done);

 private:
  struct Entry {
    RowResults row;
    CallContext context;
    Done<std::vector<v1::EvaluationResult>> done;
  };
  class Group;

  FeedbackPort& feedback_;
  const Patience& patience_;
  const TroubleReport report_;
  const Evaluation evaluation_;
  Gathering<Entry> gathering_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_RESULT_LOG_H_
