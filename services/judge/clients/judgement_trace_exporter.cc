#include "services/judge/clients/judgement_trace_exporter.h"

#include <google/protobuf/arena.h>

#include <utility>

#include "common/log/log.h"
#include "common/rpc/client_call.h"
#include "common/strings/strings.h"
#include "services/judge/clients/judgement_spans.h"

namespace assay::judge {
namespace {

using ::opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using ::opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

constexpr absl::Duration kBetweenWarnings = absl::Seconds(10);

size_t BytesOf(const JudgementTrace& trace) {
  size_t bytes = 1'000 + trace.rationale.size() + trace.value.size();
  for (const RecordedModelCall& call : trace.calls) {
    bytes += 500;
    for (const ChatMessage& message : call.messages) bytes += message.text.size();
    if (call.response.ok()) bytes += call.response->text.size();
  }
  return bytes;
}

}  // namespace

JudgementTraceExporter::JudgementTraceExporter(const std::shared_ptr<grpc::Channel>& otlp,
                                               std::string peer, rpc::RetryEnvironment retries,
                                               Clock* clock, rpc::Metrics* metrics,
                                               const Options& options)
    : stub_(Otlp::NewStub(otlp)),
      peer_(std::move(peer)),
      retries_(std::move(retries)),
      clock_(clock),
      options_(options),
      metrics_(metrics) {}

void JudgementTraceExporter::Record(JudgementTrace trace) {
  const size_t bytes = BytesOf(trace);
  bool flush = false;
  bool arm = false;
  bool full = false;
  {
    MutexLock lock(&mutex_);
    full = closed_ || waiting_bytes_ + sending_bytes_ + bytes > options_.max_waiting_bytes;
    if (!full) {
      waiting_.push_back(std::move(trace));
      waiting_bytes_ += bytes;
      // Once for each batch that has come together.
      flush =
          waiting_.size() == options_.batch_traces ||
          (waiting_bytes_ >= options_.batch_bytes && waiting_bytes_ - bytes < options_.batch_bytes);
      arm = !flush && !armed_;
      if (arm) armed_ = true;
      if (flush) ++sending_;
    }
  }
  if (full) return LeaveOut(1, "too many wait");
  if (flush) retries_.executor->Run([this] { Flush(); });
  if (arm) {
    retries_.timers->RunAfter(options_.max_delay, [this] {
      {
        MutexLock lock(&mutex_);
        armed_ = false;
        ++sending_;
      }
      retries_.executor->Run([this] { Flush(); });
    });
  }
}

void JudgementTraceExporter::Flush() {
  Batch batch;
  size_t bytes = 0;
  {
    MutexLock lock(&mutex_);
    batch = std::move(waiting_);
    waiting_.clear();
    bytes = std::exchange(waiting_bytes_, 0);
    sending_bytes_ += bytes;
    if (batch.empty() && --sending_ == 0) idle_.SignalAll();
  }
  if (!batch.empty()) Send(std::move(batch), bytes);
}

void JudgementTraceExporter::Send(Batch batch, size_t bytes) {
  // Thousands of small parts, which an arena frees at once.
  auto arena = std::make_shared<google::protobuf::Arena>();
  auto* request = google::protobuf::Arena::CreateMessage<ExportTraceServiceRequest>(arena.get());
  for (const JudgementTrace& trace : batch) WriteSpans(trace, request->add_resource_spans());
  CallContext context;
  context.deadline = clock_->Now() + options_.timeout;
  context.cancel = cancel_;
  const size_t traces = batch.size();
  rpc::CallIdempotent(
      stub_->async(), &Otlp::Stub::async_interface::Export,
      std::shared_ptr<const ExportTraceServiceRequest>(std::move(arena), request), context,
      [this, traces, bytes](const absl::StatusOr<ExportTraceServiceResponse>& response) {
        if (!response.ok()) return OnSent(traces, bytes, response.status());
        const int64_t rejected = response->partial_success().rejected_spans();
        if (rejected > 0) {
          LeaveOut(static_cast<size_t>(rejected), response->partial_success().error_message());
        }
        OnSent(traces, bytes, absl::OkStatus());
      },
      retries_, {.peer = peer_, .timeout = options_.timeout});
}

void JudgementTraceExporter::OnSent(size_t traces, size_t bytes, const absl::Status& status) {
  if (!status.ok()) LeaveOut(traces, ToStd(status.message()));
  MutexLock lock(&mutex_);
  sending_bytes_ -= bytes;
  if (--sending_ == 0) idle_.SignalAll();
}

void JudgementTraceExporter::LeaveOut(size_t traces, std::string_view why) {
  if (metrics_ != nullptr) {
    metrics_
        ->AddCounter("assay_judge_traces_left_out_total",
                     "Traces of judgements that could not be recorded.")
        .Increment(static_cast<double>(traces));
  }
  // A trace service that is away would fill the log, a line for each judgement.
  const absl::Time now = clock_->Now();
  size_t unsaid = 0;
  {
    MutexLock lock(&mutex_);
    unsaid_ += traces;
    if (now < say_again_) return;
    say_again_ = now + kBetweenWarnings;
    unsaid = std::exchange(unsaid_, 0);
  }
  log::Warning("traces of judgements are not recorded", {{"traces", unsaid}, {"error", why}});
}

void JudgementTraceExporter::Close(absl::Duration limit) {
  {
    MutexLock lock(&mutex_);
    closed_ = true;
    ++sending_;
  }
  Flush();
  if (!WaitUntilIdle(limit)) {
    cancel_->Cancel();
    WaitUntilIdle(absl::InfiniteDuration());
  }
}

bool JudgementTraceExporter::WaitUntilIdle(absl::Duration limit) {
  MutexLock lock(&mutex_);
  while (sending_ > 0) {
    if (limit == absl::InfiniteDuration()) {
      idle_.Wait(&mutex_);
    } else if (!idle_.WaitFor(&mutex_, limit)) {
      return false;
    }
  }
  return true;
}

}  // namespace assay::judge
