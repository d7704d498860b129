// The ports of alignments over gRPC.
#ifndef ASSAY_SERVICES_ALIGNMENT_CLIENTS_GRPC_PORTS_H_
#define ASSAY_SERVICES_ALIGNMENT_CLIENTS_GRPC_PORTS_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "assay/feedback/v1/feedback_service.grpc.pb.h"
#include "assay/judge/v1/judge_service.grpc.pb.h"
#include "assay/registry/v1/judge_registry_service.grpc.pb.h"
#include "assay/trace/v1/trace_service.grpc.pb.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/rpc/retry.h"
#include "services/alignment/core/ports.h"

namespace assay::alignment {

// A service to call.
struct Peer {
  std::shared_ptr<grpc::Channel> channel;
  std::string name;  // For errors: "trace at 127.0.0.1:7402".
};

// Every call here does no harm when repeated (reads, and writes with a request_id of their own),
// and is repeated while the service is away or overloaded, until the context's deadline: a job
// outlives the restart of a service it needs.
rpc::RetryEnvironment PatientRetries(Executor& executor, TimerQueue& timers);

// All are thread-safe. Executor and timers of `retries` outlive them and their answers, and they
// outlive their answers.
class GrpcFeedbackPort final : public FeedbackPort {
 public:
  GrpcFeedbackPort(Peer peer, rpc::RetryEnvironment retries);
  void ListAssessedTraces(feedback::v1::ListAssessedTracesRequest request,
                          const CallContext& context,
                          Done<feedback::v1::ListAssessedTracesResponse> done) override;

 private:
  const Peer peer_;
  const rpc::RetryEnvironment retries_;
  const std::unique_ptr<feedback::v1::FeedbackService::Stub> stub_;
};

class GrpcTracePort final : public TracePort {
 public:
  GrpcTracePort(Peer peer, rpc::RetryEnvironment retries);
  void GetTrace(std::string name, const CallContext& context, Done<trace::v1::Trace> done) override;

 private:
  const Peer peer_;
  const rpc::RetryEnvironment retries_;
  const std::unique_ptr<trace::v1::TraceService::Stub> stub_;
};

class GrpcJudgePort final : public JudgePort, public ModelPort {
 public:
  GrpcJudgePort(Peer peer, rpc::RetryEnvironment retries);
  void Judge(judge::v1::JudgeRequest request, const CallContext& context,
             Done<judge::v1::JudgeResponse> done) override;
  void Complete(judge::v1::CompleteRequest request, const CallContext& context,
                Done<judge::v1::CompleteResponse> done) override;

 private:
  const Peer peer_;
  const rpc::RetryEnvironment retries_;
  const std::unique_ptr<judge::v1::JudgeService::Stub> judge_stub_;
  const std::unique_ptr<judge::v1::ModelService::Stub> model_stub_;
};

class GrpcRegistryPort final : public RegistryPort {
 public:
  GrpcRegistryPort(Peer peer, rpc::RetryEnvironment retries);
  void GetJudge(std::string name, const CallContext& context,
                Done<registry::v1::Judge> done) override;
  void GetRevision(std::string name, const CallContext& context,
                   Done<registry::v1::JudgeRevision> done) override;
  void CreateRevision(registry::v1::CreateJudgeRevisionRequest request, const CallContext& context,
                      Done<registry::v1::JudgeRevision> done) override;
  void SetAlias(registry::v1::SetJudgeAliasRequest request, const CallContext& context,
                Done<registry::v1::Judge> done) override;

 private:
  const Peer peer_;
  const rpc::RetryEnvironment retries_;
  const std::unique_ptr<registry::v1::JudgeRegistryService::Stub> stub_;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CLIENTS_GRPC_PORTS_H_
