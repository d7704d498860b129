#include "services/judge/clients/scorer_client.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "assay/judge/v1/user_services.grpc.pb.h"
#include "common/clock/clock.h"
#include "common/proto/time.h"
#include "common/rpc/call_record.h"
#include "common/strings/strings.h"
#include "services/judge/clients/user_call_error.h"

namespace assay::judge {
namespace {

// What a scorer passes on when it calls back, beside the depth: whose budget pays, and until when.
std::vector<std::pair<std::string, std::string>> OuterCall(const v1::ScoreRequest& request,
                                                           const CallContext& context,
                                                           absl::Duration timeout) {
  const absl::Time deadline = std::min(context.deadline, SystemClock().Now() + timeout);
  return {{rpc::kExperimentMetadata, request.parent()},
          {rpc::kDeadlineMetadata, StrCat(absl::ToUnixMillis(deadline))}};
}

}  // namespace

void ScorerClient::Score(const v1::Scorer& scorer, v1::ScoreRequest request, CallContext context,
                         Done<v1::ScoreResponse> done) {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel =
      channels_.Get(scorer.address(), scorer.tls());
  if (!channel.ok()) {
    retries_.executor->Run([status = channel.status(), done = std::move(done)]() mutable {
      std::move(done)(std::move(status));
    });
    return;
  }
  std::shared_ptr<v1::ScorerService::Stub> stub = v1::ScorerService::NewStub(*channel);
  const std::string who = StrCat("scorer `", scorer.scorer(), "` at ", scorer.address());
  const absl::Duration timeout = proto::FromDuration(scorer.timeout());
  auto* async = stub->async();
  std::vector<std::pair<std::string, std::string>> metadata = OuterCall(request, context, timeout);
  rpc::CallIdempotent(
      async, &v1::ScorerService::Stub::async_interface::Score, std::move(request), context,
      // The stub lives until the call has ended.
      [stub = std::move(stub), who, timeout, context,
       done = std::move(done)](absl::StatusOr<v1::ScoreResponse> response) mutable {
        if (!response.ok()) {
          response = UserCallError("SCORER", who, timeout, context, response.status());
        }
        std::move(done)(std::move(response));
      },
      retries_, {.peer = who, .timeout = timeout, .metadata = std::move(metadata)});
}

}  // namespace assay::judge
