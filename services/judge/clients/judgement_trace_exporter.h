// Sends judgements' traces to the trace service, many in one request.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_JUDGEMENT_TRACE_EXPORTER_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_JUDGEMENT_TRACE_EXPORTER_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/cancellation.h"
#include "common/exec/executor.h"
#include "common/rpc/metrics.h"
#include "common/rpc/retry.h"
#include "common/sync/mutex.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "services/judge/core/judgement_trace.h"

namespace assay::judge {

// Traces wait for at most `max_delay` or until `batch_traces` are there. When more than
// `max_waiting_bytes` wait, because the trace service is away or too slow, new ones are left out;
// they are counted (assay_judge_traces_left_out_total), and the log says so now and then. Thread-safe.
class JudgementTraceExporter final : public JudgementTraceSink {
 public:
  struct Options {
    size_t batch_traces = 256;
    size_t batch_bytes = size_t{2} << 20;
    size_t max_waiting_bytes = size_t{32} << 20;
    absl::Duration max_delay = absl::Milliseconds(500);
    absl::Duration timeout = absl::Seconds(60);  // Of one batch, retries included.
  };

  // What `retries` points to outlives the exporter. `metrics` may be null.
  JudgementTraceExporter(const std::shared_ptr<grpc::Channel>& otlp, std::string peer,
                         rpc::RetryEnvironment retries, Clock* clock, rpc::Metrics* metrics,
                         const Options& options);

  void Record(JudgementTrace trace) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Sends what waits, and returns when no call is under way: after `limit` those that are left are
  // cancelled, and counted. From now on new ones are left out.
  void Close(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Otlp = opentelemetry::proto::collector::trace::v1::TraceService;
  using Batch = std::vector<JudgementTrace>;

  Batch TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);
  void Send(Batch batch, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnSent(size_t traces, size_t bytes, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void LeaveOut(size_t traces, std::string_view why) ABSL_LOCKS_EXCLUDED(mutex_);
  bool WaitUntilIdle(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<Otlp::Stub> stub_;
  const std::string peer_;
  const rpc::RetryEnvironment retries_;
  Clock* const clock_;
  const Options options_;
  rpc::Metrics* const metrics_;
  const std::shared_ptr<CancellationToken> cancel_ = std::make_shared<CancellationToken>();
  Mutex mutex_;
  CondVar idle_;
  Batch waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the traces in waiting_.
  size_t sending_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int sending_ ABSL_GUARDED_BY(mutex_) = 0;     // Batches, those that a task will take too.
  bool armed_ ABSL_GUARDED_BY(mutex_) = false;  // A timer will flush.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  size_t unsaid_ ABSL_GUARDED_BY(mutex_) = 0;  // Left out since the log said so last.
  absl::Time say_again_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_JUDGEMENT_TRACE_EXPORTER_H_
