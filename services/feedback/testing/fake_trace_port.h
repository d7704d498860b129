// The trace service as the feedback service's core sees it; for tests.
#ifndef ASSAY_SERVICES_FEEDBACK_TESTING_FAKE_TRACE_PORT_H_
#define ASSAY_SERVICES_FEEDBACK_TESTING_FAKE_TRACE_PORT_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/feedback/core/trace_port.h"

namespace assay::feedback {

// Every trace exists but those that are said not to. Thread-safe.
class FakeTracePort final : public TracePort {
 public:
  explicit FakeTracePort(Executor& executor) : executor_(executor) {}

  void FindMissing(std::vector<std::string> traces, CallContext,
                   Done<std::vector<std::string>> done) override {
    absl::StatusOr<std::vector<std::string>> answer = Answer(traces);
    executor_.Run([answer = std::move(answer), done = std::move(done)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

  void Remove(const std::string& trace) {
    MutexLock lock(&mutex_);
    missing_.insert(trace);
  }
  // Every call from now on; OK ends it.
  void FailWith(absl::Status status) {
    MutexLock lock(&mutex_);
    failure_ = std::move(status);
  }
  std::vector<std::string> last_asked() const {
    MutexLock lock(&mutex_);
    return last_asked_;
  }

 private:
  absl::StatusOr<std::vector<std::string>> Answer(const std::vector<std::string>& traces) {
    MutexLock lock(&mutex_);
    last_asked_ = traces;
    if (!failure_.ok()) return failure_;
    std::vector<std::string> missing;
    for (const std::string& trace : traces) {
      if (missing_.contains(trace)) missing.push_back(trace);
    }
    return missing;
  }

  Executor& executor_;
  mutable Mutex mutex_;
  std::set<std::string> missing_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> last_asked_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

// Keeps what it is told, as the trace service promises to: in order, repeated changes without
// effect. Thread-safe.
class FakeProjection final : public ProjectionPort {
 public:
  explicit FakeProjection(Executor& executor) : executor_(executor) {}

  void Apply(const std::string& store_id, std::vector<trace::v1::AssessmentChange> changes,
             CallContext, Done<int64_t> done) override {
    absl::StatusOr<int64_t> answer = Answer(store_id, changes);
    executor_.Run([answer = std::move(answer), done = std::move(done)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

  // The next `calls` calls; those that `apply` first lose only their answers.
  void FailNext(int calls, absl::Status status, bool apply = false) {
    MutexLock lock(&mutex_);
    failures_ = calls;
    failure_ = std::move(status);
    apply_failing_ = apply;
  }

  void WaitUntilApplied(int64_t sequence) {
    MutexLock lock(&mutex_);
    while (applied_ < sequence) changed_.Wait(&mutex_);
  }
  void WaitForCalls(int calls) {
    MutexLock lock(&mutex_);
    while (calls_ < calls) changed_.Wait(&mutex_);
  }

  // Sequences in the order in which they took effect.
  std::vector<int64_t> effects() const {
    MutexLock lock(&mutex_);
    return effects_;
  }
  // The last that was said of each assessment.
  std::map<std::string, trace::v1::AssessmentChange> state() const {
    MutexLock lock(&mutex_);
    return state_;
  }
  std::set<std::string> store_ids() const {
    MutexLock lock(&mutex_);
    return store_ids_;
  }

 private:
  absl::StatusOr<int64_t> Answer(const std::string& store_id,
                                 const std::vector<trace::v1::AssessmentChange>& changes) {
    MutexLock lock(&mutex_);
    ++calls_;
    changed_.SignalAll();
    const bool fail = failures_ > 0;
    if (fail) --failures_;
    if (fail && !apply_failing_) return failure_;
    store_ids_.insert(store_id);
    for (const trace::v1::AssessmentChange& change : changes) {
      if (change.sequence() <= applied_) continue;
      applied_ = change.sequence();
      effects_.push_back(applied_);
      state_[change.digest().assessment()] = change;
    }
    changed_.SignalAll();
    if (fail) return failure_;
    return applied_;
  }

  Executor& executor_;
  mutable Mutex mutex_;
  CondVar changed_;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  bool apply_failing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  int64_t applied_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<int64_t> effects_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, trace::v1::AssessmentChange> state_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> store_ids_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_TESTING_FAKE_TRACE_PORT_H_
