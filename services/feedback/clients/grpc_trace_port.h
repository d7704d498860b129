// TracePort and ProjectionPort over gRPC.
#ifndef ASSAY_SERVICES_FEEDBACK_CLIENTS_GRPC_TRACE_PORT_H_
#define ASSAY_SERVICES_FEEDBACK_CLIENTS_GRPC_TRACE_PORT_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "assay/trace/v1/trace_service.grpc.pb.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/rpc/retry.h"
#include "services/feedback/clients/known_traces.h"
#include "services/feedback/core/trace_port.h"

namespace assay::feedback {

struct GrpcTraceOptions {
  std::string peer;              // for errors: "trace at 127.0.0.1:7402"
  size_t known_traces = 10'000;  // remembered, so that they need not be asked for again
  absl::Duration call_timeout = absl::Seconds(10);
  rpc::RetryPolicy retry = {};  // of FindMissing
};

// Thread-safe. `executor` and `timers` outlive it and its answers, and it outlives its answers.
class GrpcTracePort final : public TracePort {
 public:
  GrpcTracePort(std::shared_ptr<grpc::Channel> channel, Executor& executor, TimerQueue& timers,
                GrpcTraceOptions options);

  // One call. Traces are never deleted while somebody may remember them, so one that was found once
  // is not asked for again. At most 1,000 traces.
  void FindMissing(std::vector<std::string> traces, CallContext context,
                   Done<std::vector<std::string>> done) override;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<trace::v1::AssessmentProjectionService::Stub> stub_;
  Executor& executor_;
  TimerQueue& timers_;
  const GrpcTraceOptions options_;
  KnownTraces known_;
};

// Thread-safe. Does not retry: the outbox does. `executor` outlives it and its answers, and it
// outlives its answers.
class GrpcProjectionPort final : public ProjectionPort {
 public:
  GrpcProjectionPort(std::shared_ptr<grpc::Channel> channel, Executor& executor, std::string peer);

  void Apply(const std::string& store_id, std::vector<trace::v1::AssessmentChange> changes,
             CallContext context, Done<int64_t> done) override;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<trace::v1::AssessmentProjectionService::Stub> stub_;
  Executor& executor_;
  const std::string peer_;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CLIENTS_GRPC_TRACE_PORT_H_
