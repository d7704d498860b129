// The only place where absl::Status meets grpc::Status.
#ifndef ASSAY_COMMON_RPC_STATUS_CONVERSION_H_
#define ASSAY_COMMON_RPC_STATUS_CONVERSION_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace assay::rpc {

// For a server's answer: the status of ToStatusProto (status_proto.h), its details in
// error_details. Thread-safe.
grpc::Status ToGrpcStatus(const absl::Status& status);

// For a client: code, message, and the details as payloads, so that ErrorReason, RetryAfter and
// FieldViolations of common/status/errors.h work on it. Details that cannot be read are ignored.
// Thread-safe.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_STATUS_CONVERSION_H_
