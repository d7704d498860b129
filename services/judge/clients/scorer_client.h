// Users' scorers over gRPC.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_SCORER_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_SCORER_CLIENT_H_

#include "common/rpc/retry.h"
#include "services/judge/clients/user_channels.h"
#include "services/judge/core/user_ports.h"

namespace assay::judge {

// A scorer that cannot be reached is tried again as `retries` says. It is told the depth of the
// call, the experiment and the deadline, which it passes on when it calls back. Thread-safe.
class ScorerClient final : public ScorerPort {
 public:
  // `channels`, and what `retries` points to, outlive the client's calls.
  ScorerClient(UserChannels& channels, rpc::RetryEnvironment retries)
      : channels_(channels), retries_(std::move(retries)) {}

  void Score(const v1::Scorer& scorer, v1::ScoreRequest request, CallContext context,
             Done<v1::ScoreResponse> done) override;

 private:
  UserChannels& channels_;
  const rpc::RetryEnvironment retries_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_SCORER_CLIENT_H_
