// What all calls of one service share: limits, executor, clock, metrics.
#ifndef ASSAY_COMMON_RPC_CALL_ENVIRONMENT_H_
#define ASSAY_COMMON_RPC_CALL_ENVIRONMENT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/exec/admission.h"
#include "common/exec/executor.h"
#include "common/rpc/live_calls.h"
#include "common/rpc/metrics.h"
#include "common/sync/mutex.h"

namespace assay::rpc {

struct RuntimeOptions {
  std::string service;           // "registry"; a label of the metrics.
  Executor* executor = nullptr;  // Required; handlers run here. Outlives the server's shutdown.
  Clock* clock = &SystemClock();
  Metrics* metrics = nullptr;  // Null: metrics are kept, but nobody sees them.
  std::function<double()>
      executor_queue{};  // Tasks that wait for the executor, for the metrics; may be empty.

  // Each depth of nesting has this many slots of its own, so that nested calls cannot wait for
  // their callers.
  int64_t max_unary_in_flight = 1024;
  int64_t max_open_streams = 256;
  int max_depth = 4;

  absl::Duration default_deadline = absl::Seconds(30);  // Of a unary call that brings none.
  absl::Duration max_deadline = absl::Minutes(10);      // Of a unary call.
  absl::Duration retry_after = absl::Seconds(1);        // What a refused caller is told to wait.
  bool log_requests = true;
};

// The metrics of one method. Thread-safe.
class MethodMetrics {
 public:
  MethodMetrics(Metrics* metrics, const std::string& service, const std::string& method);
  void Begin();
  void End(absl::StatusCode code, absl::Duration duration);

 private:
  Metrics* const metrics_;
  const MetricLabels labels_;
  Gauge in_flight_;
  Histogram latency_;
  Counter ok_;
};

// Thread-safe. Outlives every call.
class CallEnvironment {
 public:
  explicit CallEnvironment(RuntimeOptions options);
  ~CallEnvironment();

  const RuntimeOptions& options() const { return options_; }
  Executor& executor() { return *options_.executor; }
  Clock& clock() { return *options_.clock; }
  LiveCalls& live_calls() { return live_calls_; }
  Metrics& metrics() { return *options_.metrics; }

  // `depth` is from 0 to max_depth.
  AdmissionGate& UnaryGate(int depth) { return *unary_gates_[static_cast<size_t>(depth)]; }
  AdmissionGate& StreamGate(int depth) { return *stream_gates_[static_cast<size_t>(depth)]; }
  // UNAVAILABLE with RetryInfo, counted.
  absl::Status RefuseAdmission(std::string_view what);

  MethodMetrics& ForMethod(std::string_view method) ABSL_LOCKS_EXCLUDED(mutex_);

  // Larger requests are refused with a reason, where gRPC's own limit has let them through. Set before the first call.
  void set_max_request_bytes(size_t bytes) { max_request_bytes_ = bytes; }
  size_t max_request_bytes() const { return max_request_bytes_; }

  // Calls begun so far; tells whether the service is idle.
  uint64_t calls_begun() const { return calls_begun_.load(std::memory_order_relaxed); }
  void CountBegun() { calls_begun_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::unique_ptr<Metrics> own_metrics_;  // If the options bring none.
  const RuntimeOptions options_;
  std::vector<std::unique_ptr<AdmissionGate>> unary_gates_;
  std::vector<std::unique_ptr<AdmissionGate>> stream_gates_;
  Counter refused_;
  std::unique_ptr<Metrics::Registration> queue_gauge_;
  LiveCalls live_calls_;
  std::atomic<uint64_t> calls_begun_{0};
  size_t max_request_bytes_ = std::numeric_limits<size_t>::max();

  Mutex mutex_;
  absl::flat_hash_map<std::string, std::unique_ptr<MethodMetrics>> methods_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_CALL_ENVIRONMENT_H_
