#include "services/feedback/rpc/feedback_service.h"

#include <utility>

namespace assay::feedback {

grpc::ServerUnaryReactor* FeedbackService::CreateAssessment(
    grpc::CallbackServerContext* context, const v1::CreateAssessmentRequest* request,
    v1::CreateAssessmentResponse* response) {
  return runtime_.Unary(context, "assay.feedback.v1.FeedbackService/CreateAssessment", request,
                        response,
                        [this](const CallContext& call, const v1::CreateAssessmentRequest& request,
                               Done<v1::CreateAssessmentResponse> done) {
                          assessments_.Create(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* FeedbackService::BatchCreateAssessments(
    grpc::CallbackServerContext* context, const v1::BatchCreateAssessmentsRequest* request,
    v1::BatchCreateAssessmentsResponse* response) {
  return runtime_.Unary(
      context, "assay.feedback.v1.FeedbackService/BatchCreateAssessments", request, response,
      [this](const CallContext& call, const v1::BatchCreateAssessmentsRequest& request,
             Done<v1::BatchCreateAssessmentsResponse> done) {
        assessments_.BatchCreate(call, request, std::move(done));
      });
}

grpc::ServerUnaryReactor* FeedbackService::GetAssessment(grpc::CallbackServerContext* context,
                                                         const v1::GetAssessmentRequest* request,
                                                         v1::GetAssessmentResponse* response) {
  return runtime_.Unary(
      context, "assay.feedback.v1.FeedbackService/GetAssessment", request, response,
      [this](const CallContext&, const v1::GetAssessmentRequest& request,
             Done<v1::GetAssessmentResponse> done) { std::move(done)(assessments_.Get(request)); });
}

grpc::ServerUnaryReactor* FeedbackService::UpdateAssessment(
    grpc::CallbackServerContext* context, const v1::UpdateAssessmentRequest* request,
    v1::UpdateAssessmentResponse* response) {
  return runtime_.Unary(context, "assay.feedback.v1.FeedbackService/UpdateAssessment", request,
                        response,
                        [this](const CallContext& call, const v1::UpdateAssessmentRequest& request,
                               Done<v1::UpdateAssessmentResponse> done) {
                          assessments_.Update(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* FeedbackService::OverrideFeedback(
    grpc::CallbackServerContext* context, const v1::OverrideFeedbackRequest* request,
    v1::OverrideFeedbackResponse* response) {
  return runtime_.Unary(context, "assay.feedback.v1.FeedbackService/OverrideFeedback", request,
                        response,
                        [this](const CallContext& call, const v1::OverrideFeedbackRequest& request,
                               Done<v1::OverrideFeedbackResponse> done) {
                          assessments_.Override(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* FeedbackService::DeleteAssessment(
    grpc::CallbackServerContext* context, const v1::DeleteAssessmentRequest* request,
    v1::DeleteAssessmentResponse* response) {
  return runtime_.Unary(context, "assay.feedback.v1.FeedbackService/DeleteAssessment", request,
                        response,
                        [this](const CallContext& call, const v1::DeleteAssessmentRequest& request,
                               Done<v1::DeleteAssessmentResponse> done) {
                          assessments_.Delete(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* FeedbackService::SearchAssessments(
    grpc::CallbackServerContext* context, const v1::SearchAssessmentsRequest* request,
    v1::SearchAssessmentsResponse* response) {
  return runtime_.Unary(context, "assay.feedback.v1.FeedbackService/SearchAssessments", request,
                        response,
                        [this](const CallContext&, const v1::SearchAssessmentsRequest& request,
                               Done<v1::SearchAssessmentsResponse> done) {
                          std::move(done)(search_.Search(request));
                        });
}

grpc::ServerUnaryReactor* FeedbackService::ListAssessedTraces(
    grpc::CallbackServerContext* context, const v1::ListAssessedTracesRequest* request,
    v1::ListAssessedTracesResponse* response) {
  return runtime_.Unary(context, "assay.feedback.v1.FeedbackService/ListAssessedTraces", request,
                        response,
                        [this](const CallContext&, const v1::ListAssessedTracesRequest& request,
                               Done<v1::ListAssessedTracesResponse> done) {
                          std::move(done)(search_.ListAssessedTraces(request));
                        });
}

}  // namespace assay::feedback
