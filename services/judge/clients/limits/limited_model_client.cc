#include "services/judge/clients/limits/limited_model_client.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/limits/adaptive_limit.h"
#include "services/judge/clients/limits/token_bucket.h"
#include "services/judge/clients/limits/token_estimate.h"

namespace assay::judge {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);
constexpr absl::Duration kMaxPause = absl::Seconds(60);
// A header that says that nothing is left also says when all is there again; a part of it is there
// much sooner.
constexpr absl::Duration kMaxHintedPause = absl::Seconds(1);

// Who goes first: nested calls, then interactive ones, then jobs.
enum class Class { kNested, kInteractive, kJob };

Class ClassOf(const CallContext& context) {
  if (context.depth > 0) return Class::kNested;
  return context.priority == Priority::kJob ? Class::kJob : Class::kInteractive;
}

absl::Status NotAsked(absl::StatusCode code, std::string_view reason, std::string_view why) {
  return MakeError(code, reason, why, {{"asked", "false"}});
}

absl::Status ShutsDown() {
  return NotAsked(absl::StatusCode::kCancelled, "CANCELLED", "the service shuts down");
}

absl::Duration HintedPause(const RateHints& hints) {
  absl::Duration pause = absl::ZeroDuration();
  if (hints.remaining_requests == 0) pause = hints.requests_reset;
  if (hints.remaining_tokens == 0) pause = std::max(pause, hints.tokens_reset);
  return std::min(pause, kMaxHintedPause);
}

}  // namespace

bool WasNeverAsked(const absl::Status& error) { return ErrorMetadata(error, "asked") == "false"; }

// Shared with timers and cancellations, which may come after the client is gone.
class LimitedModelClient::Line : public std::enable_shared_from_this<Line> {
 public:
  Line(std::unique_ptr<ModelClient> inner, const Options& options, Dependencies dependencies)
      : inner_(std::move(inner)),
        options_(options),
        executor_(dependencies.executor),
        timers_(dependencies.timers),
        clock_(dependencies.clock),
        limit_(static_cast<int64_t>(options.max_in_flight)),
        requests_(options.requests_per_minute, clock_->Now()),
        tokens_(options.tokens_per_minute, clock_->Now()) {}

  void Enter(ModelRequest request, CallContext context, Done<ModelResponse> done)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    auto call = std::make_unique<Call>();
    call->line = shared_from_this();
    call->request = std::move(request);
    call->context = std::move(context);
    call->done = std::move(done);
    call->of = ClassOf(call->context);
    if (tokens_.limited()) call->estimate = ExpectedTokens(call->request);
    const std::shared_ptr<CancellationToken> cancel = call->context.cancel;
    const absl::Time deadline = call->context.deadline;
    const absl::Time now = clock_->Now();
    absl::Status refused;
    std::optional<Key> queued;
    {
      MutexLock lock(&mutex_);
      if (closed_) {
        refused = ShutsDown();
      } else if (queue_.empty() && MayBegin(*call, now)) {
        Take(*call);
      } else if (IsFullFor(*call)) {
        refused = AddErrorMetadata(
            Overloaded(StrCat("the line for the model ", options_.name), kRetryAfter), "asked",
            "false");
      } else {
        queued = KeyFor(*call);
        queue_.emplace(*queued, std::move(call));
      }
    }
    if (!refused.ok()) return Answer(std::move(call), std::move(refused));
    if (!queued.has_value()) return Begin(std::move(call));
    WatchFor(*queued, cancel, deadline);
    // It may go before those that wait already, into a slot that only it may have.
    Dispatch();
  }

  LimitStats Stats() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::Time now = clock_->Now();
    MutexLock lock(&mutex_);
    LimitStats stats;
    stats.in_flight = in_flight_;
    stats.queued = static_cast<int64_t>(queue_.size());
    stats.limit = limit_.limit();
    stats.max_limit = limit_.max();
    stats.paused_until = paused_until_;
    stats.recent = recent_.Last(now);
    stats.last_failure = recent_.last_failure();
    stats.last_failure_time = recent_.last_failure_time();
    return stats;
  }

  void Shutdown() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::map<Key, std::unique_ptr<Call>> left;
    {
      MutexLock lock(&mutex_);
      closed_ = true;
      left.swap(queue_);
    }
    for (auto& [key, call] : left) Answer(std::move(call), ShutsDown());
  }

  ModelTraits Traits(std::string_view model_uri) const { return inner_->Traits(model_uri); }

 private:
  using Key = std::pair<int, uint64_t>;

  // One attempt, from its arrival to its answer.
  struct Call {
    std::shared_ptr<Line> line;
    ModelRequest request;
    CallContext context;
    Done<ModelResponse> done;
    Class of = Class::kInteractive;
    double estimate = 0;  // Tokens.
    uint64_t ticket = 0;
    std::optional<TimerQueue::Id> timer;
    CancellationToken::Registration on_cancel;
  };

  Key KeyFor(const Call& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const int rank = 2 * static_cast<int>(call.of) + (call.request.attempt > 1 ? 0 : 1);
    return {rank, next_id_++};
  }

  bool IsFullFor(const Call& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (call.request.attempt > 1) return false;  // It was admitted before.
    const size_t most = options_.max_queued;
    switch (call.of) {
      case Class::kNested:
        return queue_.size() >= most + most / 8;
      case Class::kInteractive:
        return queue_.size() >= most;
      case Class::kJob:
        return queue_.size() >= most - most / 8;
    }
    return true;
  }

  // Plans a wake-up where only time is missing.
  bool MayBegin(const Call& call, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (paused_until_ > now) {
      WakeAt(paused_until_);
      return false;
    }
    const int64_t limit = limit_.limit();
    const int64_t slots =
        call.of == Class::kNested ? limit + std::max<int64_t>(limit / 8, 1) : limit;
    if (in_flight_ >= slots) return false;
    if (!requests_.limited() && !tokens_.limited()) return true;
    const absl::Duration wait =
        std::max(requests_.WaitFor(1, now), tokens_.WaitFor(call.estimate, now));
    if (wait <= absl::ZeroDuration()) return true;
    WakeAt(now + wait);
    return false;
  }

  void Take(Call& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++in_flight_;
    call.ticket = limit_.Ticket();
    requests_.Take(1);
    tokens_.Take(call.estimate);
  }

  void WakeAt(absl::Time when) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (wake_at_ <= when) return;
    wake_at_ = when;
    timers_->RunAt(when, [weak = weak_from_this()] {
      if (std::shared_ptr<Line> line = weak.lock()) line->Wake();
    });
  }

  void Wake() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      wake_at_ = absl::InfiniteFuture();
    }
    executor_->Run([self = shared_from_this()] { self->Dispatch(); });
  }

  // Takes a call that waits out of the line when it is cancelled or late.
  void WatchFor(Key key, const std::shared_ptr<CancellationToken>& cancel, absl::Time deadline)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    std::optional<TimerQueue::Id> timer;
    if (deadline != absl::InfiniteFuture()) {
      timer = timers_->RunAt(deadline, [weak = weak_from_this(), key] {
        if (std::shared_ptr<Line> line = weak.lock()) {
          line->Leave(key, NotAsked(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT",
                                    StrCat("the deadline passed in the line for the model ",
                                           line->options_.name)));
        }
      });
    }
    CancellationToken::Registration registration;
    if (cancel != nullptr) {
      registration = cancel->OnCancel([weak = weak_from_this(), key] {
        if (std::shared_ptr<Line> line = weak.lock()) {
          line->Leave(key, NotAsked(absl::StatusCode::kCancelled, "CANCELLED",
                                    "cancelled while waiting in line"));
        }
      });
    }
    {
      MutexLock lock(&mutex_);
      auto found = queue_.find(key);
      if (found != queue_.end()) {
        found->second->timer = std::exchange(timer, std::nullopt);
        std::swap(found->second->on_cancel, registration);
      }
    }
    if (timer.has_value()) timers_->Cancel(*timer);  // It has left already.
  }

  void Leave(Key key, absl::Status why) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::unique_ptr<Call> call;
    {
      MutexLock lock(&mutex_);
      auto found = queue_.find(key);
      if (found == queue_.end()) return;
      call = std::move(found->second);
      queue_.erase(found);
    }
    Answer(std::move(call), std::move(why));
  }

  // The call, its registration too, ends on the executor: never inside its own cancellation.
  void Answer(std::unique_ptr<Call> call, absl::Status status) {
    if (call->timer.has_value()) timers_->Cancel(*call->timer);
    executor_->Run([call = std::move(call), status = std::move(status)]() mutable {
      std::move(call->done)(std::move(status));
    });
  }

  // `call` has its slot.
  void Begin(std::unique_ptr<Call> call) {
    if (call->timer.has_value()) timers_->Cancel(*call->timer);
    call->timer.reset();
    call->on_cancel = {};
    ModelRequest request = std::move(call->request);
    CallContext context = call->context;
    inner_->Complete(std::move(request), std::move(context),
                     [call = std::move(call)](absl::StatusOr<ModelResponse> answer) mutable {
                       call->line->OnEnd(*call, answer);
                       std::move(call->done)(std::move(answer));
                     });
  }

  void OnEnd(const Call& call, const absl::StatusOr<ModelResponse>& answer)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    const FailureClass failure = FailureClassOf(answer.status());
    if (options_.on_attempt) options_.on_attempt(failure);
    absl::Duration pause =
        HintedPause(answer.ok() ? answer->rate_hints : RateHintsOf(answer.status()));
    if (failure == FailureClass::kRate || failure == FailureClass::kTransient) {
      pause = RetryAfterOf(answer.status()).value_or(pause);
    }
    const absl::Time now = clock_->Now();
    bool more = false;
    {
      MutexLock lock(&mutex_);
      recent_.Add(failure, now);
      if (failure == FailureClass::kRate) {
        limit_.OnOverload(call.ticket);
      } else if (answer.ok()) {
        limit_.OnSuccess(in_flight_);
      }
      if (pause > absl::ZeroDuration()) {
        paused_until_ = std::max(paused_until_, now + std::min(pause, kMaxPause));
      }
      if (tokens_.limited()) {
        const int64_t used = answer.ok() ? answer->input_tokens + answer->output_tokens : 0;
        tokens_.Correct(call.estimate - static_cast<double>(used));
      }
      --in_flight_;
      more = !queue_.empty();
    }
    if (more) Dispatch();
  }

  // Begins what may begin.
  void Dispatch() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::Time now = clock_->Now();
    std::vector<std::unique_ptr<Call>> ready;
    std::vector<std::unique_ptr<Call>> late;
    {
      MutexLock lock(&mutex_);
      while (!queue_.empty()) {
        Call& first = *queue_.begin()->second;
        const bool is_late = !first.context.Check(now).ok();
        if (!is_late && !MayBegin(first, now)) break;
        if (!is_late) Take(first);
        (is_late ? late : ready).push_back(std::move(queue_.begin()->second));
        queue_.erase(queue_.begin());
      }
    }
    for (std::unique_ptr<Call>& call : late) {
      const absl::Status why =
          call->context.Cancelled()
              ? NotAsked(absl::StatusCode::kCancelled, "CANCELLED", "cancelled while in line")
              : NotAsked(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT",
                         StrCat("the deadline passed in the line for the model ", options_.name));
      Answer(std::move(call), why);
    }
    for (std::unique_ptr<Call>& call : ready) Begin(std::move(call));
  }

  const std::unique_ptr<ModelClient> inner_;
  const Options options_;
  Executor* const executor_;
  TimerQueue* const timers_;
  Clock* const clock_;
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Time paused_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time wake_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  AdaptiveLimit limit_ ABSL_GUARDED_BY(mutex_);
  TokenBucket requests_;  // Guarded by mutex_; `limited` is constant.
  TokenBucket tokens_;    // As `requests_`.
  RecentCalls recent_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, std::unique_ptr<Call>> queue_ ABSL_GUARDED_BY(mutex_);
};

LimitedModelClient::LimitedModelClient(std::unique_ptr<ModelClient> inner, const Options& options,
                                       Dependencies dependencies)
    : line_(std::make_shared<Line>(std::move(inner), options, dependencies)) {}

LimitedModelClient::~LimitedModelClient() { Shutdown(); }

void LimitedModelClient::Complete(ModelRequest request, CallContext context,
                                  Done<ModelResponse> done) {
  line_->Enter(std::move(request), std::move(context), std::move(done));
}

ModelTraits LimitedModelClient::Traits(std::string_view model_uri) const {
  return line_->Traits(model_uri);
}

LimitStats LimitedModelClient::Stats() const { return line_->Stats(); }

void LimitedModelClient::Shutdown() { line_->Shutdown(); }

}  // namespace assay::judge
