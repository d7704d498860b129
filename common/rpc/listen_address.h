// Addresses that a server listens on.
#ifndef ASSAY_COMMON_RPC_LISTEN_ADDRESS_H_
#define ASSAY_COMMON_RPC_LISTEN_ADDRESS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace assay::rpc {

struct HostPort {
  std::string host;  // Without the brackets of IPv6.
  int port = 0;
};

// "127.0.0.1:7401", "[::1]:0", "localhost:7401". INVALID_ARGUMENT, field `flag`, otherwise.
absl::StatusOr<HostPort> ParseHostPort(std::string_view address, std::string_view flag);

std::string FormatHostPort(const HostPort& address);

// 127.0.0.0/8, ::1 and "localhost".
bool IsLoopback(std::string_view host);

// INVALID_ARGUMENT, reason NON_LOOPBACK_ADDRESS, unless loopback or allowed. Nothing here asks who
// a caller is, so only those on this machine may call unless the operator says so.
absl::Status CheckListenAddress(std::string_view address, bool allow_non_loopback,
                                std::string_view flag);

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_LISTEN_ADDRESS_H_
