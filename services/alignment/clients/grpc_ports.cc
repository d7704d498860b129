#include "services/alignment/clients/grpc_ports.h"

#include <utility>

#include "absl/time/time.h"

namespace assay::alignment {
namespace {

constexpr absl::Duration kReadTimeout = absl::Seconds(30);
// A judgement may take several attempts of a slow model.
constexpr absl::Duration kModelTimeout = absl::Minutes(9);

rpc::ClientCallOptions CallOptions(const Peer& peer, absl::Duration timeout) {
  rpc::ClientCallOptions options;
  options.peer = peer.name;
  options.timeout = timeout;
  return options;
}

// A Done of a response whose only content is one message.
template <class Response, class Content>
Done<Response> Unwrap(Content* (Response::*content)(), Done<Content> done) {
  return [content, done = std::move(done)](absl::StatusOr<Response> response) mutable {
    if (!response.ok()) return std::move(done)(response.status());
    std::move(done)(std::move(*((*response).*content)()));
  };
}

}  // namespace

rpc::RetryEnvironment PatientRetries(Executor& executor, TimerQueue& timers) {
  rpc::RetryEnvironment environment;
  environment.executor = &executor;
  environment.timers = &timers;
  environment.policy.max_attempts = 1'000;  // The deadline ends it.
  return environment;
}

GrpcFeedbackPort::GrpcFeedbackPort(Peer peer, rpc::RetryEnvironment retries)
    : peer_(std::move(peer)),
      retries_(std::move(retries)),
      stub_(feedback::v1::FeedbackService::NewStub(peer_.channel)) {}

void GrpcFeedbackPort::ListAssessedTraces(feedback::v1::ListAssessedTracesRequest request,
                                          const CallContext& context,
                                          Done<feedback::v1::ListAssessedTracesResponse> done) {
  rpc::CallIdempotent(
      stub_->async(), &feedback::v1::FeedbackService::Stub::async_interface::ListAssessedTraces,
      std::move(request), context, std::move(done), retries_, CallOptions(peer_, kReadTimeout));
}

GrpcTracePort::GrpcTracePort(Peer peer, rpc::RetryEnvironment retries)
    : peer_(std::move(peer)),
      retries_(std::move(retries)),
      stub_(trace::v1::TraceService::NewStub(peer_.channel)) {}

void GrpcTracePort::GetTrace(std::string name, const CallContext& context,
                             Done<trace::v1::Trace> done) {
  trace::v1::GetTraceRequest request;
  request.set_name(std::move(name));
  request.set_view(trace::v1::TRACE_VIEW_BASIC);
  rpc::CallIdempotent(stub_->async(), &trace::v1::TraceService::Stub::async_interface::GetTrace,
                      std::move(request), context,
                      Unwrap(&trace::v1::GetTraceResponse::mutable_trace, std::move(done)),
                      retries_, CallOptions(peer_, kReadTimeout));
}

GrpcJudgePort::GrpcJudgePort(Peer peer, rpc::RetryEnvironment retries)
    : peer_(std::move(peer)),
      retries_(std::move(retries)),
      judge_stub_(judge::v1::JudgeService::NewStub(peer_.channel)),
      model_stub_(judge::v1::ModelService::NewStub(peer_.channel)) {}

void GrpcJudgePort::Judge(judge::v1::JudgeRequest request, const CallContext& context,
                          Done<judge::v1::JudgeResponse> done) {
  rpc::CallIdempotent(judge_stub_->async(), &judge::v1::JudgeService::Stub::async_interface::Judge,
                      std::move(request), context, std::move(done), retries_,
                      CallOptions(peer_, kModelTimeout));
}

void GrpcJudgePort::Complete(judge::v1::CompleteRequest request, const CallContext& context,
                             Done<judge::v1::CompleteResponse> done) {
  rpc::CallIdempotent(model_stub_->async(),
                      &judge::v1::ModelService::Stub::async_interface::Complete, std::move(request),
                      context, std::move(done), retries_, CallOptions(peer_, kModelTimeout));
}

GrpcRegistryPort::GrpcRegistryPort(Peer peer, rpc::RetryEnvironment retries)
    : peer_(std::move(peer)),
      retries_(std::move(retries)),
      stub_(registry::v1::JudgeRegistryService::NewStub(peer_.channel)) {}

void GrpcRegistryPort::GetJudge(std::string name, const CallContext& context,
                                Done<registry::v1::Judge> done) {
  registry::v1::GetJudgeRequest request;
  request.set_name(std::move(name));
  rpc::CallIdempotent(stub_->async(),
                      &registry::v1::JudgeRegistryService::Stub::async_interface::GetJudge,
                      std::move(request), context,
                      Unwrap(&registry::v1::GetJudgeResponse::mutable_judge, std::move(done)),
                      retries_, CallOptions(peer_, kReadTimeout));
}

void GrpcRegistryPort::GetRevision(std::string name, const CallContext& context,
                                   Done<registry::v1::JudgeRevision> done) {
  registry::v1::GetJudgeRevisionRequest request;
  request.set_name(std::move(name));
  rpc::CallIdempotent(
      stub_->async(), &registry::v1::JudgeRegistryService::Stub::async_interface::GetJudgeRevision,
      std::move(request), context,
      Unwrap(&registry::v1::GetJudgeRevisionResponse::mutable_revision, std::move(done)), retries_,
      CallOptions(peer_, kReadTimeout));
}

void GrpcRegistryPort::CreateRevision(registry::v1::CreateJudgeRevisionRequest request,
                                      const CallContext& context,
                                      Done<registry::v1::JudgeRevision> done) {
  rpc::CallIdempotent(
      stub_->async(),
      &registry::v1::JudgeRegistryService::Stub::async_interface::CreateJudgeRevision,
      std::move(request), context,
      Unwrap(&registry::v1::CreateJudgeRevisionResponse::mutable_revision, std::move(done)),
      retries_, CallOptions(peer_, kReadTimeout));
}

void GrpcRegistryPort::SetAlias(registry::v1::SetJudgeAliasRequest request,
                                const CallContext& context, Done<registry::v1::Judge> done) {
  rpc::CallIdempotent(stub_->async(),
                      &registry::v1::JudgeRegistryService::Stub::async_interface::SetJudgeAlias,
                      std::move(request), context,
                      Unwrap(&registry::v1::SetJudgeAliasResponse::mutable_judge, std::move(done)),
                      retries_, CallOptions(peer_, kReadTimeout));
}

}  // namespace assay::alignment
