#include "services/judge/clients/predictor_client.h"

#include <memory>
#include <string>
#include <utility>

#include "assay/judge/v1/user_services.grpc.pb.h"
#include "common/proto/time.h"
#include "common/strings/strings.h"
#include "services/judge/clients/user_call_error.h"

namespace assay::judge {

void PredictorClient::Predict(const v1::Predictor& predictor, v1::PredictRequest request,
                              CallContext context, Done<v1::PredictResponse> done) {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = channels_.Get(predictor.address());
  if (!channel.ok()) {
    retries_.executor->Run([status = channel.status(), done = std::move(done)]() mutable {
      std::move(done)(std::move(status));
    });
    return;
  }
  std::shared_ptr<v1::PredictorService::Stub> stub = v1::PredictorService::NewStub(*channel);
  const std::string who = StrCat("predictor at ", predictor.address());
  const absl::Duration timeout = proto::FromDuration(predictor.timeout());
  auto* async = stub->async();
  rpc::CallIdempotent(
      async, &v1::PredictorService::Stub::async_interface::Predict, std::move(request), context,
      // The stub lives until the call has ended.
      [stub = std::move(stub), who, timeout, context,
       done = std::move(done)](absl::StatusOr<v1::PredictResponse> response) mutable {
        if (!response.ok()) {
          response = UserCallError("PREDICTOR", who, timeout, context, response.status());
        }
        std::move(done)(std::move(response));
      },
      retries_, {.peer = who, .timeout = timeout});
}

}  // namespace assay::judge
