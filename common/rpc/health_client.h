// Asks a server's health (grpc.health.v1), without generated code for it.
#ifndef ASSAY_COMMON_RPC_HEALTH_CLIENT_H_
#define ASSAY_COMMON_RPC_HEALTH_CLIENT_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace assay::rpc {

enum class Health : int { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

// Blocks up to `timeout`: not on an executor that calls need. NOT_FOUND for a service the server
// does not know; UNAVAILABLE if nobody answers. Thread-safe.
absl::StatusOr<Health> CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                                   const std::string& service, absl::Duration timeout);

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_HEALTH_CLIENT_H_
