// gRPC adapter of Assessments and AssessmentSearch.
#ifndef ASSAY_SERVICES_FEEDBACK_RPC_FEEDBACK_SERVICE_H_
#define ASSAY_SERVICES_FEEDBACK_RPC_FEEDBACK_SERVICE_H_

#include "assay/feedback/v1/feedback_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/feedback/core/assessment_search.h"
#include "services/feedback/core/assessments.h"

namespace assay::feedback {

// Thread-safe. All three outlive it.
class FeedbackService final : public v1::FeedbackService::CallbackService {
 public:
  FeedbackService(Assessments& assessments, AssessmentSearch& search, rpc::Runtime& runtime)
      : assessments_(assessments), search_(search), runtime_(runtime) {}

  grpc::ServerUnaryReactor* CreateAssessment(grpc::CallbackServerContext* context,
                                             const v1::CreateAssessmentRequest* request,
                                             v1::CreateAssessmentResponse* response) override;
  grpc::ServerUnaryReactor* BatchCreateAssessments(
      grpc::CallbackServerContext* context, const v1::BatchCreateAssessmentsRequest* request,
      v1::BatchCreateAssessmentsResponse* response) override;
  grpc::ServerUnaryReactor* GetAssessment(grpc::CallbackServerContext* context,
                                          const v1::GetAssessmentRequest* request,
                                          v1::GetAssessmentResponse* response) override;
  grpc::ServerUnaryReactor* UpdateAssessment(grpc::CallbackServerContext* context,
                                             const v1::UpdateAssessmentRequest* request,
                                             v1::UpdateAssessmentResponse* response) override;
  grpc::ServerUnaryReactor* OverrideFeedback(grpc::CallbackServerContext* context,
                                             const v1::OverrideFeedbackRequest* request,
                                             v1::OverrideFeedbackResponse* response) override;
  grpc::ServerUnaryReactor* DeleteAssessment(grpc::CallbackServerContext* context,
                                             const v1::DeleteAssessmentRequest* request,
                                             v1::DeleteAssessmentResponse* response) override;
  grpc::ServerUnaryReactor* SearchAssessments(grpc::CallbackServerContext* context,
                                              const v1::SearchAssessmentsRequest* request,
                                              v1::SearchAssessmentsResponse* response) override;
  grpc::ServerUnaryReactor* ListAssessedTraces(grpc::CallbackServerContext* context,
                                               const v1::ListAssessedTracesRequest* request,
                                               v1::ListAssessedTracesResponse* response) override;

 private:
  Assessments& assessments_;
  AssessmentSearch& search_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_RPC_FEEDBACK_SERVICE_H_
