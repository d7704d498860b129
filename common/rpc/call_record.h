// One call from arrival to its end: its context, its place among the admitted, its log line and
// metrics.
#ifndef ASSAY_COMMON_RPC_CALL_RECORD_H_
#define ASSAY_COMMON_RPC_CALL_RECORD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/exec/admission.h"
#include "common/exec/call_context.h"
#include "common/rpc/call_environment.h"

namespace assay::rpc {

enum class CallShape : uint8_t { kUnary, kStream };

// Names of the metadata that travel between services.
inline constexpr char kTraceparentMetadata[] = "traceparent";
inline constexpr char kDepthMetadata[] = "assay-depth";
// Of the judgement that a call of a scorer is a part of: its experiment, and when it ends
// (milliseconds of Unix time, by the clock of the service that sent it).
inline constexpr char kExperimentMetadata[] = "assay-experiment";
inline constexpr char kDeadlineMetadata[] = "assay-deadline-ms";

// Made where the call arrives, on gRPC's thread. Byte counts may be added from any thread; the rest
// is called by whoever owns the call's progress at that moment.
class CallRecord {
 public:
  // `environment` and `context` outlive End. `method` is "package.Service/Method".
  CallRecord(CallEnvironment* environment, grpc::CallbackServerContext* context,
             std::string_view method, CallShape shape);
  CallRecord(const CallRecord&) = delete;
  CallRecord& operator=(const CallRecord&) = delete;

  // Takes a slot. RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE, FAILED_PRECONDITION NESTED_TOO_DEEP, INVALID_ARGUMENT (unreadable
  // depth), or UNAVAILABLE with RetryInfo. Once.
  absl::Status Admit();

  // Deadline: unary calls get the client's, no less than none and no more than allowed; streams the
  // client's, or none.
  const CallContext& context() const { return context_; }
  const std::string& method() const { return context_.request_method; }
  CallEnvironment& environment() { return *environment_; }
  uint64_t live_id() const { return live_id_; }

  void AddRequestBytes(size_t bytes) { request_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void AddResponseBytes(size_t bytes) {
    response_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }

  // Logs, counts, gives the slot back. Exactly once, right before Finish with the status it
  // returns.
  grpc::Status End(const absl::Status& status);

 private:
  void ReadMetadata();
  void ReadOuterCall();
  void Log(const absl::Status& status, absl::Duration duration) const;

  CallEnvironment* const environment_;
  grpc::CallbackServerContext* const server_context_;
  const CallShape shape_;
  const absl::Time started_;
  MethodMetrics& metrics_;
  uint64_t live_id_ = 0;
  CallContext context_;
  absl::Status metadata_status_;
  std::optional<Admission> admission_;
  std::atomic<size_t> request_bytes_{0};
  std::atomic<size_t> response_bytes_{0};
};

// Serialized size, for the log.
template <class Message>
size_t MessageBytes(const Message& message) {
  return message.ByteSizeLong();
}
inline size_t MessageBytes(const grpc::ByteBuffer& buffer) { return buffer.Length(); }

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_CALL_RECORD_H_
