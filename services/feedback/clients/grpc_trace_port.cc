#include "services/feedback/clients/grpc_trace_port.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/rpc/client_call.h"
#include "common/sync/mutex.h"

namespace assay::feedback {

// One FindMissing: asks for one trace after another, in several lanes. Lives until the last answer
// has come.
class GrpcTracePort::Search : public std::enable_shared_from_this<GrpcTracePort::Search> {
 public:
  Search(GrpcTracePort* port, std::vector<std::string> traces, CallContext context,
         Done<std::vector<std::string>> done)
      : port_(port),
        traces_(std::move(traces)),
        context_(std::move(context)),
        done_(std::move(done)) {}

  void Start() {
    const size_t lanes =
        std::min(traces_.size(), static_cast<size_t>(port_->options_.max_parallel));
    {
      MutexLock lock(&mutex_);
      lanes_ = lanes;
    }
    for (size_t i = 0; i < lanes; ++i) GoOn();
  }

 private:
  // Asks for the next trace, or ends the lane.
  void GoOn() ABSL_LOCKS_EXCLUDED(mutex_) {
    const std::string* trace = nullptr;
    bool last_lane = false;
    {
      MutexLock lock(&mutex_);
      if (error_.ok() && next_ < traces_.size()) {
        trace = &traces_[next_++];
      } else {
        last_lane = --lanes_ == 0;
      }
    }
    if (trace != nullptr) {
      port_->Ask(
          *trace, context_,
          [self = shared_from_this(), trace](absl::StatusOr<trace::v1::GetTraceResponse> answer) {
            self->Take(*trace, answer.status());
            self->GoOn();
          });
    } else if (last_lane) {
      Finish();
    }
  }

  void Take(const std::string& trace, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (status.ok()) return port_->known_.Add(trace);
    MutexLock lock(&mutex_);
    if (absl::IsNotFound(status)) {
      missing_.push_back(trace);
    } else {
      error_ = status;
    }
  }

  void Finish() {
    port_->executor_.Run([self = shared_from_this()] { std::move(self->done_)(self->Answer()); });
  }

  absl::StatusOr<std::vector<std::string>> Answer() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    if (!error_.ok()) return error_;
    return std::move(missing_);
  }

  GrpcTracePort* const port_;
  const std::vector<std::string> traces_;
  const CallContext context_;
  Done<std::vector<std::string>> done_;
  Mutex mutex_;
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t lanes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> missing_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

GrpcTracePort::GrpcTracePort(std::shared_ptr<grpc::Channel> channel, Executor& executor,
                             TimerQueue& timers, GrpcTraceOptions options)
    : channel_(std::move(channel)),
      stub_(trace::v1::TraceService::NewStub(channel_)),
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
  std::make_shared<Search>(this, std::move(traces), std::move(context), std::move(done))->Start();
}

void GrpcTracePort::Ask(const std::string& trace, const CallContext& context,
                        Done<trace::v1::GetTraceResponse> done) {
  trace::v1::GetTraceRequest request;
  request.set_name(trace);
  rpc::ClientCallOptions call;
  call.peer = options_.peer;
  call.timeout = options_.call_timeout;
  rpc::RetryEnvironment environment;
  environment.executor = &executor_;
  environment.timers = &timers_;
  environment.policy = options_.retry;
  rpc::CallIdempotent(stub_->async(), &trace::v1::TraceService::Stub::async_interface::GetTrace,
                      std::move(request), context, std::move(done), environment, std::move(call));
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
