// The fake of TraceStore: everything in memory, nothing survives.
#ifndef ASSAY_SERVICES_TRACE_TESTING_MEMORY_TRACE_STORE_H_
#define ASSAY_SERVICES_TRACE_TESTING_MEMORY_TRACE_STORE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

// Thread-safe. `executor` (calls of `done`) and `clock` outlive the store.
class InMemoryTraceStore final : public TraceStore {
 public:
  InMemoryTraceStore(Executor& executor, Clock& clock) : executor_(executor), clock_(clock) {}

  // Every write from now on fails with this; OK ends it.
  void FailWritesWith(absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_);

  void AppendSpans(std::vector<TraceChunk> chunks, bool register_experiments,
                   Done<AppendResult> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Preregister(std::vector<TraceId> traces, TraceBinding binding, bool register_experiment,
                   RequestKey key, Done<AppendResult> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::optional<StoredTrace>> GetTrace(const TraceId& trace) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<std::optional<StoredTrace>>> GetTraces(
      absl::Span<const TraceId> traces) const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ReadChunks(const TraceId& trace,
                          absl::FunctionRef<bool(uint64_t sequence, std::string_view otlp)> visit)
      const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::optional<std::string>> ReadChunk(const TraceId& trace,
                                                       uint64_t sequence) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ScanTraces(const TraceScan& scan,
                          absl::FunctionRef<bool(const TracePosition& entry)> visit) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<TracesOfIndex> TracesWithAssessment(const AssessmentIndex& index,
                                                     size_t limit) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<v1::AssessmentDigest>> AssessmentsOf(const TraceId& trace,
                                                                  size_t limit) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  void ApplyAssessments(std::string feedback_store, std::vector<v1::AssessmentChange> changes,
                        Done<int64_t> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<int64_t> AppliedSequence(std::string_view feedback_store) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<std::string>> PendingExperiments(size_t limit) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  void ExperimentCreated(std::string experiment, DoneStatus done) override
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct RequestSeen {
    std::string body_sha256;
    absl::Time expires_at;
  };
  struct Assessment {
    std::string experiment;
    v1::AssessmentDigest digest;
  };
  struct LatestFirst {
    bool operator()(const TracePosition& a, const TracePosition& b) const {
      return std::tie(b.start_unix_nano, a.trace) < std::tie(a.start_unix_nano, b.trace);
    }
  };

  absl::StatusOr<AppendResult> Append(std::vector<TraceChunk> chunks, bool register_experiments)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<AppendResult> Bind(const std::vector<TraceId>& traces, const TraceBinding& binding,
                                    bool register_experiment, const RequestKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t Apply(const std::string& feedback_store, const std::vector<v1::AssessmentChange>& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Register(const std::string& experiment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Executor& executor_;
  Clock& clock_;
  mutable Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<TraceId, StoredTrace> traces_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<TraceId, uint64_t>, std::string> chunks_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::set<TracePosition, LatestFirst>> times_ ABSL_GUARDED_BY(mutex_);
  std::map<TraceId, std::map<std::string, Assessment>> assessments_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t, std::less<>> applied_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> pending_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> known_ ABSL_GUARDED_BY(mutex_);
  std::map<std::tuple<std::string, std::string, std::string>, RequestSeen> requests_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_MEMORY_TRACE_STORE_H_
