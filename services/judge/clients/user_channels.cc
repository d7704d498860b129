#include "services/judge/clients/user_channels.h"

#include "absl/status/statusor.h"
#include "common/rpc/channel.h"
#include "common/rpc/listen_address.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace assay::judge {
namespace {

// What a user's server may send in one answer.
constexpr int kMaxResponseBytes = 4 << 20;

}  // namespace

absl::Status UserChannels::Check(std::string_view address) const {
  ASSAY_ASSIGN_OR_RETURN(rpc::HostPort host_port, rpc::ParseHostPort(address, "address"));
  if (host_port.port == 0) return InvalidField("address", "must be host:port with a port");
  if (allow_remote_ || rpc::IsLoopback(host_port.host)) return absl::OkStatus();
  return InvalidField("address",
                      "must be a loopback address; start the judge service with "
                      "--allow_remote_scorers to allow others",
                      "REMOTE_ADDRESS_REFUSED");
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> UserChannels::Get(const std::string& address,
                                                                 bool tls) {
  ASSAY_RETURN_IF_ERROR(Check(address));
  std::shared_ptr<grpc::Channel> dropped;  // Destroyed without the lock.
  MutexLock lock(&mutex_);
  const Key key(address, tls);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }
  rpc::ChannelOptions options;
  options.max_message_bytes = kMaxResponseBytes;
  if (tls) options.tls_roots = tls_roots_;
  order_.emplace_front(key, rpc::MakeChannel(address, options));
  by_key_[key] = order_.begin();
  std::shared_ptr<grpc::Channel> channel = order_.front().second;
  if (order_.size() > kMaxChannels) {
    dropped = std::move(order_.back().second);
    by_key_.erase(order_.back().first);
    order_.pop_back();
  }
  return channel;
}

}  // namespace assay::judge
