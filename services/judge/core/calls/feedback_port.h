// The feedback service, as the judge service needs it.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_FEEDBACK_PORT_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_FEEDBACK_PORT_H_

#include <string>
#include <vector>

#include "assay/feedback/v1/assessment.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::judge {

// Thread-safe.
class FeedbackPort {
 public:
  virtual ~FeedbackPort() = default;

  // Logs all or none under these ids; answers with their resource names, in order. One whose id is
  // taken is there already and is not logged again. Calls `done` exactly once, never inline. Errors
  // as FeedbackService.BatchCreateAssessments.
  virtual void LogAssessments(std::string experiment,
                              std::vector<feedback::v1::Assessment> assessments,
                              std::vector<std::string> ids, CallContext context,
                              Done<std::vector<std::string>> done) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_FEEDBACK_PORT_H_
