// Completes traces and sessions: when they were idle for long enough, or when a client says so.
#ifndef ASSAY_SERVICES_TRACE_CORE_COMPLETION_COMPLETER_H_
#define ASSAY_SERVICES_TRACE_CORE_COMPLETION_COMPLETER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/request/request_key.h"
#include "common/sync/mutex.h"
#include "services/trace/core/completion/completeness.h"
#include "services/trace/core/completion/completion_store.h"
#include "services/trace/core/completion/open_sessions.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

struct CompleterOptions {
  absl::Duration idle_window = kTraceIdleWindow;
  absl::Duration session_idle_window = kSessionIdleWindow;
  absl::Duration sweep_interval = absl::Seconds(1);
  size_t batch = 512;         // Traces of one commit.
  size_t session_batch = 32;  // Sessions of one commit.
  // Traces of a session that are looked at, the newest first, to tell whether one is in progress.
  size_t max_session_traces = 1000;
  // Tells most sessions without a trace in progress; outlives the completer. Null: the traces of
  // each session are read.
  OpenSessions* open_sessions = nullptr;
  // Told what a commit has completed. May be empty.
  std::function<void(int64_t traces, int64_t sessions)> on_completed;
};

// Everything runs in steps on the executor, one at a time: a generation is given once, because the
// next step begins when the commit of the last one is done. Between two steps other work gets its
// turn, however much is due. Thread-safe.
class Completer {
 public:
  // All outlive the object.
  Completer(TraceStore& traces, CompletionStore& store, Executor& executor, TimerQueue& timers,
            Clock& clock, CompleterOptions options);

  void Start();
  // No step begins after this; requests that wait get UNAVAILABLE. The executor ends the step that
  // is under way.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // Completes a trace of `experiment` (`-` for any) at once, whether or not its root has ended. OK
  // and no new generation if it is complete already, or if the same request was answered before.
  // NOT_FOUND; FAILED_PRECONDITION TRACE_HAS_NO_SPANS.
  void Complete(std::string experiment, const TraceId& trace, RequestKey request, DoneStatus done)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // How long the earliest due trace had been waiting when it was last looked for; zero if none was.
  absl::Duration Lag() const ABSL_LOCKS_EXCLUDED(mutex_);
  const CompleterOptions& options() const { return options_; }

 private:
  struct Request {
    std::string experiment;
    TraceId trace;
    RequestKey key;
    DoneStatus done;
    absl::Status answer;  // Once the commit is done.
  };
  enum class Phase { kNone, kTraces, kSessions };
  // What one step found out and is about to commit.
  struct Step;
  // How far one kind of due entries is worked off. Only the step that is under way touches it.
  struct Sweep {
    uint64_t from_ms = 0;  // Nothing due before, but for what was written late.
    absl::Time rescan = absl::InfinitePast();
  };

  void Tick() ABSL_LOCKS_EXCLUDED(mutex_);
  void Schedule() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunStep() ABSL_LOCKS_EXCLUDED(mutex_);
  void EndStep(const std::shared_ptr<Step>& step, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // From when on to look, so that entries which are deleted already are not walked over each time.
  static uint64_t BeginOf(Sweep& sweep, absl::Time now);
  absl::Status Prepare(Step& step);
  absl::Status PrepareRequests(Step& step);
  absl::Status PrepareDueTraces(Step& step);
  absl::Status PrepareDueSessions(Step& step);
  // nullopt in the place of a trace that cannot be read at all.
  absl::StatusOr<std::vector<std::optional<StoredTrace>>> ReadTraces(
      const std::vector<TraceId>& traces);
  absl::Status ReadAndDecide(std::vector<TraceId> ids, Step& step);
  // Of a trace that is due and as the request with this sequence left it.
  void DecideUnread(const TraceId& trace, const DueState& state, uint64_t sequence, Step& step);
  void NoteUnended(const TraceFacts& facts);
  // `facts`: with spans; all that the completion takes from them.
  void CompleteTrace(const TraceId& trace, std::string experiment, const TraceFacts& facts,
                     bool requested, Step& step);
  absl::Status TouchSessions(Step& step);
  absl::Status DecideSession(const DueSession& due, const std::optional<SessionRecord>& record,
                             Step& step);
  absl::StatusOr<bool> HasTraceInProgress(const SessionKey& session, absl::Time now);

  TraceStore& traces_;
  CompletionStore& store_;
  Executor& executor_;
  TimerQueue& timers_;
  Clock& clock_;
  const CompleterOptions options_;
  Sweep due_traces_;
  Sweep due_sessions_;

  mutable Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kNone;
  std::deque<Request> requests_ ABSL_GUARDED_BY(mutex_);
  TimerQueue::Id timer_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration lag_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_COMPLETION_COMPLETER_H_
