#include "services/judge/core/calls/session_loader.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"

namespace assay::judge {

namespace {

using trace::v1::Trace;
using TracePtr = std::shared_ptr<const Trace>;

// Traces that are fetched at a time.
constexpr size_t kLanes = 8;

// Whether a list has left out what is longer than it shows.
bool IsShortened(const Trace& trace) {
  return (!trace.has_inputs() && !trace.request_preview().empty()) ||
         (!trace.has_outputs() && !trace.response_preview().empty());
}

absl::Status CheckBounds(const std::string& session, const SessionTraces& listed) {
  if (listed.empty()) return NotFound("session", session);
  if (listed.size() > static_cast<size_t>(kMaxSessionTraces)) {
    return PreconditionFailed("SESSION_TOO_LARGE", session,
                              StrCat("The session has more than ", kMaxSessionTraces,
                                     " traces, which is the most that a judge looks at."));
  }
  int64_t bytes = 0;
  for (const TracePtr& trace : listed) bytes += trace->size_bytes();
  if (bytes <= kMaxSessionBytes) return absl::OkStatus();
  return PreconditionFailed("SESSION_TOO_LARGE", session,
                            StrCat("The session's spans have ", bytes, " bytes; a judge looks at ",
                                   kMaxSessionBytes, " at most."));
}

// Fetches some of the listed traces again, whole. Kept alive by the calls in flight.
class Fetching : public std::enable_shared_from_this<Fetching> {
 public:
  Fetching(TracePort& port, bool spans, CallContext context, SessionTraces listed,
           Done<SessionTraces> done)
      : port_(port),
        spans_(spans),
        context_(std::move(context)),
        traces_(std::move(listed)),
        done_(std::move(done)) {
    for (size_t i = 0; i < traces_.size(); ++i) {
      if (spans_ || IsShortened(*traces_[i])) places_.push_back(i);
    }
  }

  void Start() ABSL_LOCKS_EXCLUDED(mutex_) {
    // One lane even where there is nothing to fetch: it ends at once.
    const size_t lanes = std::clamp<size_t>(places_.size(), 1, kLanes);
    {
      MutexLock lock(&mutex_);
      lanes_left_ = lanes;
    }
    for (size_t lane = 0; lane < lanes; ++lane) Fetch(lane);
  }

 private:
  // The place-th trace to fetch, and then those of the same lane.
  void Fetch(size_t place) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (place >= places_.size()) return EndLane();
    std::string name;
    {
      MutexLock lock(&mutex_);
      if (error_.ok()) name = traces_[places_[place]]->name();
    }
    if (name.empty()) return EndLane();
    port_.GetTrace(std::move(name), spans_, context_,
                   [self = shared_from_this(), place](absl::StatusOr<TracePtr> trace) {
                     self->Take(place, std::move(trace));
                     self->Fetch(place + kLanes);
                   });
  }

  void Take(size_t place, absl::StatusOr<TracePtr> trace) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    if (trace.ok()) {
      traces_[places_[place]] = *std::move(trace);
    } else if (error_.ok()) {
      error_ = trace.status();
    }
  }

  void EndLane() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::StatusOr<SessionTraces> answer = absl::UnknownError("unset");
    {
      MutexLock lock(&mutex_);
      if (--lanes_left_ > 0) return;
      if (error_.ok()) {
        answer = std::move(traces_);
      } else {
        answer = error_;
      }
    }
    std::move(done_)(std::move(answer));
  }

  TracePort& port_;
  const bool spans_;
  const CallContext context_;
  std::vector<size_t> places_;  // In traces_, of those to fetch.
  Mutex mutex_;
  SessionTraces traces_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  size_t lanes_left_ ABSL_GUARDED_BY(mutex_) = 0;
  Done<SessionTraces> done_;  // Called by the last lane.
};

}  // namespace

void LoadSession(TracePort& traces, std::string session, bool spans, CallContext context,
                 Done<SessionTraces> done) {
  CallContext listing = context;
  std::string name = session;
  traces.ListSessionTraces(
      std::move(name), kMaxSessionTraces + 1, std::move(listing),
      [&traces, spans, session = std::move(session), context = std::move(context),
       done = std::move(done)](absl::StatusOr<SessionTraces> listed) mutable {
        if (!listed.ok()) return std::move(done)(listed.status());
        if (absl::Status bounds = CheckBounds(session, *listed); !bounds.ok()) {
          return std::move(done)(bounds);
        }
        std::make_shared<Fetching>(traces, spans, std::move(context), *std::move(listed),
                                   std::move(done))
            ->Start();
      });
}

}  // namespace assay::judge
