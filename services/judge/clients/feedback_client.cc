#include "services/judge/clients/feedback_client.h"

#include <utility>

#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

FeedbackClient::FeedbackClient(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& address, rpc::RetryEnvironment retries)
    : stub_(feedback::v1::FeedbackService::NewStub(channel)),
      peer_(StrCat("feedback at ", address)),
      retries_(std::move(retries)) {}

void FeedbackClient::LogAssessments(std::string experiment,
                                    std::vector<feedback::v1::Assessment> assessments,
                                    std::vector<std::string> ids, CallContext context,
                                    Done<std::vector<std::string>> done) {
  feedback::v1::BatchCreateAssessmentsRequest request;
  request.set_parent(std::move(experiment));
  for (std::string& id : ids) request.add_assessment_ids(std::move(id));
  request.set_keep_existing(true);
  request.set_names_only(true);
  for (feedback::v1::Assessment& assessment : assessments) {
    *request.add_assessments() = std::move(assessment);
  }
  const int count = request.assessments_size();
  rpc::CallIdempotent(
      stub_->async(), &feedback::v1::FeedbackService::Stub::async_interface::BatchCreateAssessments,
      std::move(request), context,
      [count, done = std::move(done)](
          absl::StatusOr<feedback::v1::BatchCreateAssessmentsResponse> response) mutable {
        if (!response.ok()) return std::move(done)(response.status());
        if (response->assessments_size() != count) {
          return std::move(done)(MakeError(absl::StatusCode::kInternal, "PEER_ANSWER_INVALID",
                                           "the feedback service answered with another number of "
                                           "assessments than it was given"));
        }
        std::vector<std::string> names;
        for (const auto& assessment : response->assessments()) names.push_back(assessment.name());
        std::move(done)(std::move(names));
      },
      retries_, {.peer = peer_});
}

}  // namespace assay::judge
