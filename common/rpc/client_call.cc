#include "common/rpc/client_call.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "common/rpc/call_record.h"
#include "common/rpc/status_conversion.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::rpc {

OutgoingCall::OutgoingCall(const CallContext& context, ClientCallOptions options)
    : context_(context), options_(std::move(options)) {}

absl::Status OutgoingCall::Prepare() {
  const absl::Time now = options_.clock->Now();
  if (absl::Status usable = context_.Check(now); !usable.ok()) return usable;
  const absl::Duration timeout = std::min(options_.timeout, context_.Remaining(now));
  client_context_.set_deadline(std::chrono::system_clock::now() +
                               absl::ToChronoNanoseconds(timeout));
  if (!context_.traceparent.empty()) {
    client_context_.AddMetadata(kTraceparentMetadata, context_.traceparent);
  }
  client_context_.AddMetadata(kDepthMetadata, StrCat(context_.depth + 1));
  for (const auto& [key, value] : options_.metadata) client_context_.AddMetadata(key, value);
  return absl::OkStatus();
}

void OutgoingCall::FollowCancellation() {
  if (context_.cancel == nullptr) return;
  cancellation_ = context_.cancel->OnCancel([this] { client_context_.TryCancel(); });
}

absl::Status OutgoingCall::End(const grpc::Status& status) {
  cancellation_ = CancellationToken::Registration();
  absl::Status result = FromGrpcStatus(status);
  if (result.code() != absl::StatusCode::kUnavailable || !ErrorReason(result).empty())
    return result;
  const std::string peer = options_.peer.empty() ? client_context_.peer() : options_.peer;
  return MakeError(absl::StatusCode::kUnavailable, "PEER_UNREACHABLE",
                   StrCat("cannot reach ", peer, ": ", std::string_view(status.error_message())),
                   {{"peer", peer}});
}

}  // namespace assay::rpc
