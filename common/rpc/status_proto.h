// Errors as google.rpc.Status: what travels in `grpc-status-details-bin`, and what per-row results
// carry.
#ifndef ASSAY_COMMON_RPC_STATUS_PROTO_H_
#define ASSAY_COMMON_RPC_STATUS_PROTO_H_

#include <cstddef>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace assay::rpc {

// Clients refuse larger trailers, with an error that says nothing of ours.
inline constexpr size_t kMaxStatusProtoBytes = 4096;

// The error as a client may see it: at most kMaxStatusProtoBytes when serialized, always with an
// ErrorInfo (reason from the code, if it had none). INTERNAL, UNKNOWN and DATA_LOSS without an
// ErrorInfo lose their message: nobody meant it for strangers. Only the google.rpc details of
// common/status/errors.h are carried. What does not fit is left out from the end, field violations
// first, then metadata, then other details; ErrorInfo.metadata counts it ("violations_left_out",
// "metadata_left_out", "details_left_out"). An OK status gives an empty message. Thread-safe.
google::rpc::Status ToStatusProto(const absl::Status& status);

// The reverse; an unknown code becomes UNKNOWN. Thread-safe.
absl::Status FromStatusProto(const google::rpc::Status& proto);

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_STATUS_PROTO_H_
