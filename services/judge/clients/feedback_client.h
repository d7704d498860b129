// The feedback service over gRPC.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_FEEDBACK_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_FEEDBACK_CLIENT_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "assay/feedback/v1/feedback_service.grpc.pb.h"
#include "common/rpc/retry.h"
#include "services/judge/core/calls/feedback_port.h"

namespace assay::judge {

// Thread-safe.
class FeedbackClient final : public FeedbackPort {
 public:
  // `retries` is copied; what it points to outlives the client's calls. `address` is for errors.
  FeedbackClient(const std::shared_ptr<grpc::Channel>& channel, const std::string& address,
                 rpc::RetryEnvironment retries);

  void LogAssessments(std::string experiment, std::vector<feedback::v1::Assessment> assessments,
                      std::vector<std::string> ids, CallContext context,
                      Done<std::vector<std::string>> done) override;

 private:
  const std::unique_ptr<feedback::v1::FeedbackService::Stub> stub_;
  const std::string peer_;
  const rpc::RetryEnvironment retries_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_FEEDBACK_CLIENT_H_
