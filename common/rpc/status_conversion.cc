#include "common/rpc/status_conversion.h"

#include <string>

#include "common/rpc/status_proto.h"
#include "google/rpc/status.pb.h"

namespace assay::rpc {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status proto = ToStatusProto(status);
  return grpc::Status(static_cast<grpc::StatusCode>(proto.code()), proto.message(),
                      proto.SerializeAsString());
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status proto;
  if (!proto.ParseFromString(status.error_details())) proto.Clear();
  // The trailers of the call are what counts; the details only add to them.
  proto.set_code(static_cast<int>(status.error_code()));
  proto.set_message(status.error_message());
  return FromStatusProto(proto);
}

}  // namespace assay::rpc
