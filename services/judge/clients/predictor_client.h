// Users' applications over gRPC.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PREDICTOR_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PREDICTOR_CLIENT_H_

#include "common/rpc/retry.h"
#include "services/judge/clients/user_channels.h"
#include "services/judge/core/user_ports.h"

namespace assay::judge {

// An application that cannot be reached is tried again as `retries` says. Thread-safe.
class PredictorClient final : public PredictorPort {
 public:
  // `channels`, and what `retries` points to, outlive the client's calls.
  PredictorClient(UserChannels& channels, rpc::RetryEnvironment retries)
      : channels_(channels), retries_(std::move(retries)) {}

  void Predict(const v1::Predictor& predictor, v1::PredictRequest request, CallContext context,
               Done<v1::PredictResponse> done) override;

 private:
  UserChannels& channels_;
  const rpc::RetryEnvironment retries_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PREDICTOR_CLIENT_H_
