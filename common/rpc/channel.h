// Channels to other services.
#ifndef ASSAY_COMMON_RPC_CHANNEL_H_
#define ASSAY_COMMON_RPC_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace assay::rpc {

struct ChannelOptions {
  int max_message_bytes = 64 << 20;  // What the server may send is the server's choice.
  absl::Duration keepalive_time = absl::Minutes(1);
  absl::Duration max_reconnect_backoff = absl::Seconds(2);
  // Encrypts the connection against these authorities (PEM), or the system's if it is "".
  std::optional<std::string> tls_roots{};
};

// `address` is `host:port` (looked up by DNS, calls spread over all addresses), or a target with a
// scheme of its own (`unix:/run/assay`). Connects lazily and never fails; no proxy, no hidden
// retries. Thread-safe. Do not give up the last reference inside a callback of gRPC.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const ChannelOptions& options = {});

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_CHANNEL_H_
