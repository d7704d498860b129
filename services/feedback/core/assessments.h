// The rules of assessments: logging, reading, changing, overriding, deleting.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENTS_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/feedback/v1/feedback_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/feedback/core/feedback_store.h"
#include "services/feedback/core/trace_port.h"

namespace assay::feedback {

inline constexpr int kMaxBatchAssessments = 1000;

// Thread-safe. Reads block on storage; writes answer by `done`. Errors are those of the methods in
// protos/assay/feedback/v1/feedback_service.proto.
class Assessments {
 public:
  // All three outlive this and the `done`s of its writes.
  Assessments(FeedbackStore& store, TracePort& traces, Clock& clock)
      : store_(store), traces_(traces), clock_(clock) {}

  void Create(const CallContext& context, const v1::CreateAssessmentRequest& request,
              Done<v1::CreateAssessmentResponse> done);
  void BatchCreate(const CallContext& context, const v1::BatchCreateAssessmentsRequest& request,
                   Done<v1::BatchCreateAssessmentsResponse> done);
  absl::StatusOr<v1::GetAssessmentResponse> Get(const v1::GetAssessmentRequest& request) const;
  void Update(const CallContext& context, const v1::UpdateAssessmentRequest& request,
              Done<v1::UpdateAssessmentResponse> done);
  void Override(const CallContext& context, const v1::OverrideFeedbackRequest& request,
                Done<v1::OverrideFeedbackResponse> done);
  void Delete(const CallContext& context, const v1::DeleteAssessmentRequest& request,
              Done<v1::DeleteAssessmentResponse> done);

 private:
  // Gives a new assessment its name and all else that the service decides. A random id if `id` is
  // empty.
  void Stamp(const CallContext& context, const std::string& experiment, std::string id,
             v1::Assessment* assessment) const;
  // Stores `assessments` if all their traces exist; `fields` are their paths in the request.
  void InsertIfTracesExist(const CallContext& context, RequestKey key,
                           std::vector<v1::Assessment> assessments, std::vector<std::string> fields,
                           FeedbackStore::IfTaken if_taken, Done<Written> done);
  std::string ReadTokenOf(const Written& written) const;
  template <class Response>
  Done<Written> AnswerWithAssessment(Done<Response> done) const;

  FeedbackStore& store_;
  TracePort& traces_;
  Clock& clock_;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENTS_H_
