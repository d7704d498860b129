// The projection of assessments: applying changes, and waiting until one is applied.
#ifndef ASSAY_SERVICES_TRACE_CORE_PROJECTION_H_
#define ASSAY_SERVICES_TRACE_CORE_PROJECTION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "assay/trace/v1/trace_service.pb.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "common/read_token/read_token.h"
#include "common/sync/mutex.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

// Searches that wait at a time; above it UNAVAILABLE (OVERLOADED).
inline constexpr size_t kMaxWaiters = 1024;
// A request waits at most until this long before its deadline, so that its answer still arrives.
inline constexpr absl::Duration kAnswerMargin = absl::Milliseconds(100);

// Thread-safe. Every `done` is called on the executor, never inline.
class Projection {
 public:
  // All outlive the object; `timers` runs no task after it.
  Projection(TraceStore& store, Executor& executor, TimerQueue& timers, Clock& clock)
      : store_(store), executor_(executor), timers_(timers), clock_(clock) {}
  Projection(const Projection&) = delete;
  Projection& operator=(const Projection&) = delete;

  // INVALID_ARGUMENT that names the field for changes out of order or without what is required;
  // else as TraceStore::ApplyAssessments.
  void Apply(const v1::ApplyAssessmentsRequest& request, Done<v1::ApplyAssessmentsResponse> done);

  // Which of the traces do not exist. Blocks for one read. INVALID_ARGUMENT that names the field.
  absl::StatusOr<v1::FindMissingTracesResponse> FindMissing(
      const v1::FindMissingTracesRequest& request) const;

  // OK once everything up to the token is applied. UNAVAILABLE PROJECTION_BEHIND shortly before the
  // context's deadline; CANCELLED with its token. Blocks for one read; keeps no thread waiting.
  void WaitUntilApplied(const ReadToken& token, const CallContext& context, DoneStatus done);

  size_t waiters() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Waiter {
    ReadToken token;
    DoneStatus done;
    TimerQueue::Id timer = 0;
    CancellationToken::Registration on_cancel;
  };

  void Advance(const std::string& feedback_store, int64_t sequence) ABSL_LOCKS_EXCLUDED(mutex_);
  void End(uint64_t id, absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_);
  void Answer(Waiter waiter, absl::Status status);

  TraceStore& store_;
  Executor& executor_;
  TimerQueue& timers_;
  Clock& clock_;
  mutable Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  // What this process has applied, of the stores that somebody waits for or that were heard of
  // lately.
  std::map<std::string, int64_t> applied_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_PROJECTION_H_
