#include "services/judge/core/scorer_lines.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"

namespace assay::judge {

namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);
constexpr int kDefaultConcurrency = 32;

using Key = std::pair<std::string, int>;  // Address and depth.

struct Waiting {
  v1::Scorer scorer;
  v1::ScoreRequest request;
  CallContext context;
  Done<v1::ScoreResponse> done;
  std::optional<TimerQueue::Id> timer;
  CancellationToken::Registration on_cancel;

  Key key() const { return {scorer.address(), context.depth}; }
  int limit() const {
    return scorer.max_concurrency() > 0 ? scorer.max_concurrency() : kDefaultConcurrency;
  }
};
using WaitingPtr = std::unique_ptr<Waiting>;

struct Line {
  int inside = 0;
  std::map<uint64_t, WaitingPtr> queue;  // In the order in which they came.
};

}  // namespace

// Shared with timers, cancellations and calls, which may come after the port is gone.
class ScorerLines::Lines : public std::enable_shared_from_this<Lines> {
 public:
  Lines(ScorerPort& inner, Executor& executor, TimerQueue& timers, size_t max_waiting)
      : inner_(inner), executor_(executor), timers_(timers), max_waiting_(max_waiting) {}

  void Enter(WaitingPtr call) ABSL_LOCKS_EXCLUDED(mutex_) {
    const Key key = call->key();
    const std::shared_ptr<CancellationToken> cancel = call->context.cancel;
    const absl::Time deadline = call->context.deadline;
    uint64_t id = 0;
    bool full = false;
    {
      MutexLock lock(&mutex_);
      Line& line = lines_[key];
      if (line.queue.empty() && line.inside < call->limit()) {
        ++line.inside;
      } else if (line.queue.size() >= max_waiting_) {
        full = true;
      } else {
        id = next_id_++;
        line.queue.emplace(id, std::move(call));
      }
    }
    if (full) {
      return Answer(std::move(call),
                    Overloaded(StrCat("the line for the scorers at ", key.first), kRetryAfter));
    }
    if (id == 0) return Begin(std::move(call));
    Watch(key, id, cancel, deadline);
  }

 private:
  // Takes a call that waits out of the line when it is cancelled or late.
  void Watch(const Key& key, uint64_t id, const std::shared_ptr<CancellationToken>& cancel,
             absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::optional<TimerQueue::Id> timer;
    if (deadline != absl::InfiniteFuture()) {
      timer = timers_.RunAt(deadline, [weak = weak_from_this(), key, id] {
        if (std::shared_ptr<Lines> lines = weak.lock()) {
          lines->Leave(
              key, id,
              MakeError(absl::StatusCode::kDeadlineExceeded, "SCORER_TIMEOUT",
                        StrCat("the deadline passed in the line for the scorers at ", key.first)));
        }
      });
    }
    CancellationToken::Registration registration;
    if (cancel != nullptr) {
      registration = cancel->OnCancel([weak = weak_from_this(), key, id] {
        if (std::shared_ptr<Lines> lines = weak.lock()) {
          lines->Leave(key, id,
                       MakeError(absl::StatusCode::kCancelled, "CANCELLED",
                                 "cancelled while waiting in line"));
        }
      });
    }
    {
      MutexLock lock(&mutex_);
      const auto line = lines_.find(key);
      if (line != lines_.end()) {
        const auto found = line->second.queue.find(id);
        if (found != line->second.queue.end()) {
          found->second->timer = std::exchange(timer, std::nullopt);
          std::swap(found->second->on_cancel, registration);
        }
      }
    }
    if (timer.has_value()) timers_.Cancel(*timer);  // It has left already.
  }

  void Leave(const Key& key, uint64_t id, absl::Status why) ABSL_LOCKS_EXCLUDED(mutex_) {
    WaitingPtr call;
    {
      MutexLock lock(&mutex_);
      const auto line = lines_.find(key);
      if (line == lines_.end()) return;
      const auto found = line->second.queue.find(id);
      if (found == line->second.queue.end()) return;
      call = std::move(found->second);
      line->second.queue.erase(found);
    }
    Answer(std::move(call), std::move(why));
  }

  // The call, its registration too, ends on the executor: never inside its own cancellation.
  void Answer(WaitingPtr call, absl::Status status) {
    if (call->timer.has_value()) timers_.Cancel(*call->timer);
    executor_.Run([call = std::move(call), status = std::move(status)]() mutable {
      std::move(call->done)(std::move(status));
    });
  }

  void Begin(WaitingPtr call) {
    if (call->timer.has_value()) timers_.Cancel(*call->timer);
    call->on_cancel = {};
    const Key key = call->key();
    inner_.Score(call->scorer, std::move(call->request), std::move(call->context),
                 [lines = shared_from_this(), key, done = std::move(call->done)](
                     absl::StatusOr<v1::ScoreResponse> response) mutable {
                   lines->OnEnd(key);
                   std::move(done)(std::move(response));
                 });
  }

  void OnEnd(const Key& key) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::map<uint64_t, WaitingPtr> next;
    {
      MutexLock lock(&mutex_);
      const auto found = lines_.find(key);
      if (found == lines_.end()) return;
      Line& line = found->second;
      --line.inside;
      while (!line.queue.empty() && line.inside < line.queue.begin()->second->limit()) {
        ++line.inside;
        next.insert(line.queue.extract(line.queue.begin()));
      }
      if (line.inside == 0 && line.queue.empty()) lines_.erase(found);
    }
    // Elsewhere: a line of calls that end at once must not deepen the stack.
    for (auto& [id, call] : next) {
      executor_.Run([lines = shared_from_this(), call = std::move(call)]() mutable {
        lines->Begin(std::move(call));
      });
    }
  }

  ScorerPort& inner_;
  Executor& executor_;
  TimerQueue& timers_;
  const size_t max_waiting_;
  Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Key, Line> lines_ ABSL_GUARDED_BY(mutex_);
};

ScorerLines::ScorerLines(ScorerPort& inner, Executor& executor, TimerQueue& timers,
                         size_t max_waiting)
    : lines_(std::make_shared<Lines>(inner, executor, timers, max_waiting)) {}

ScorerLines::~ScorerLines() = default;

void ScorerLines::Score(const v1::Scorer& scorer, v1::ScoreRequest request, CallContext context,
                        Done<v1::ScoreResponse> done) {
  auto call = std::make_unique<Waiting>();
  call->scorer = scorer;
  call->request = std::move(request);
  call->context = std::move(context);
  call->done = std::move(done);
  lines_->Enter(std::move(call));
}

}  // namespace assay::judge
