#include "services/feedback/clients/grpc_trace_port.h"

#include <set>
#include <string_view>
#include <utility>

#include "common/rpc/client_call.h"

namespace assay::feedback {

GrpcTracePort::GrpcTracePort(std::shared_ptr<grpc::Channel> channel, Executor& executor,
                             TimerQueue& timers, GrpcTraceOptions options)
    : channel_(std::move(channel)),
      stub_(trace::v1::AssessmentProjectionService::NewStub(channel_)),
      executor_(executor),
      timers_(timers),
      options_(std::move(options)),
      known_(options_.known_traces) {}

void GrpcTracePort::FindMissing(std::vector<std::string> traces, CallContext context,
                                Done<std::vector<std::string>> done) {
  std::erase_if(traces, [this](const std::string& trace) { return known_.Contains(trace); });
  if (traces.empty()) {
    executor_.Run(
        [done = std::move(done)]() mutable { std::move(done)(std::vector<std::string>()); });
    return;
  }
  trace::v1::FindMissingTracesRequest request;
  request.mutable_traces()->Assign(traces.begin(), traces.end());
  rpc::ClientCallOptions call;
  call.peer = options_.peer;
  call.timeout = options_.call_timeout;
  rpc::RetryEnvironment environment;
  environment.executor = &executor_;
  environment.timers = &timers_;
  environment.policy = options_.retry;
  rpc::CallIdempotent(
      stub_->async(),
      &trace::v1::AssessmentProjectionService::Stub::async_interface::FindMissingTraces,
      std::move(request), context,
      [this, traces = std::move(traces), done = std::move(done)](
          absl::StatusOr<trace::v1::FindMissingTracesResponse> answer) mutable {
        if (!answer.ok()) return std::move(done)(answer.status());
        std::vector<std::string> missing(answer->missing().begin(), answer->missing().end());
        const std::set<std::string_view> unknown(missing.begin(), missing.end());
        for (const std::string& trace : traces) {
          if (!unknown.contains(trace)) known_.Add(trace);
        }
        std::move(done)(std::move(missing));
      },
      environment, std::move(call));
}

GrpcProjectionPort::GrpcProjectionPort(std::shared_ptr<grpc::Channel> channel, Executor& executor,
                                       std::string peer)
    : channel_(std::move(channel)),
      stub_(trace::v1::AssessmentProjectionService::NewStub(channel_)),
      executor_(executor),
      peer_(std::move(peer)) {}

void GrpcProjectionPort::Apply(const std::string& store_id,
                               std::vector<trace::v1::AssessmentChange> changes,
                               CallContext context, Done<int64_t> done) {
  trace::v1::ApplyAssessmentsRequest request;
  request.set_feedback_store(store_id);
  for (trace::v1::AssessmentChange& change : changes) *request.add_changes() = std::move(change);
  rpc::CallUnary(
      stub_->async(),
      &trace::v1::AssessmentProjectionService::Stub::async_interface::ApplyAssessments,
      std::move(request), context,
      [done = std::move(done)](absl::StatusOr<trace::v1::ApplyAssessmentsResponse> answer) mutable {
        if (!answer.ok()) return std::move(done)(answer.status());
        std::move(done)(answer->applied_sequence());
      },
      executor_, {.peer = peer_});
}

}  // namespace assay::feedback
