#include "common/rpc/health_client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <cstddef>
#include <vector>

#include "common/rpc/status_conversion.h"
#include "common/status/errors.h"
#include "common/sync/notification.h"

namespace assay::rpc {
namespace {

// HealthCheckRequest{service = 1}; names shorter than 128 bytes, whose length is one byte.
std::string EncodeRequest(const std::string& service) {
  if (service.empty()) return "";
  std::string bytes;
  bytes.push_back('\x0a');
  bytes.push_back(static_cast<char>(service.size()));
  return bytes + service;
}

// HealthCheckResponse{status = 1}; a value of 0 is not on the wire.
absl::StatusOr<Health> DecodeResponse(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return absl::InternalError("health: unreadable answer");
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  if (bytes.empty()) return Health::kUnknown;
  if (bytes.size() != 2 || bytes[0] != '\x08' || bytes[1] < 0 || bytes[1] > 3) {
    return absl::InternalError("health: unreadable answer");
  }
  return static_cast<Health>(bytes[1]);
}

}  // namespace

absl::StatusOr<Health> CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                                   const std::string& service, absl::Duration timeout) {
  if (service.size() > 127) return InvalidField("service", "the name is longer than 127 bytes");
  const std::string encoded = EncodeRequest(service);
  const grpc::Slice slice(encoded);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout));
  grpc::Status status;
  Notification ended;
  grpc::GenericStub stub(channel);
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&](grpc::Status result) {
                   status = std::move(result);
                   ended.Notify();
                 });
  ended.Wait();  // The deadline bounds it.
  if (!status.ok()) return FromGrpcStatus(status);
  return DecodeResponse(response);
}

}  // namespace assay::rpc
