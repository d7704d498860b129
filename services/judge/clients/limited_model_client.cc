#include "services/judge/clients/limited_model_client.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"

namespace assay::judge {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);

struct Waiting {
  ModelRequest request;
  CallContext context;
  Done<ModelResponse> done;
  std::optional<TimerQueue::Id> timer;
  CancellationToken::Registration on_cancel;
};

}  // namespace

// Shared with timers and cancellations, which may come after the client is gone.
class LimitedModelClient::Line : public std::enable_shared_from_this<Line> {
 public:
  Line(std::unique_ptr<ModelClient> inner, const Options& options, Executor* executor,
       TimerQueue* timers)
      : inner_(std::move(inner)), options_(options), executor_(executor), timers_(timers) {}

  void Enter(std::unique_ptr<Waiting> call) ABSL_LOCKS_EXCLUDED(mutex_) {
    const std::shared_ptr<CancellationToken> cancel = call->context.cancel;
    const absl::Time deadline = call->context.deadline;
    absl::Status refused;
    bool begin = false;
    uint64_t id = 0;
    {
      MutexLock lock(&mutex_);
      if (closed_) {
        refused = MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the service shuts down");
      } else if (in_flight_ < options_.max_in_flight) {
        ++in_flight_;
        begin = true;
      } else if (queue_.size() >= options_.max_queued) {
        refused = Overloaded(StrCat("the line for the model ", options_.name), kRetryAfter);
      } else {
        id = next_id_++;
        queue_.emplace(id, std::move(call));
      }
    }
    if (begin) return Begin(std::move(call));
    if (!refused.ok()) return Answer(std::move(call), std::move(refused));
    WatchFor(id, cancel, deadline);
  }

  void Shutdown() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::map<uint64_t, std::unique_ptr<Waiting>> left;
    {
      MutexLock lock(&mutex_);
      closed_ = true;
      left.swap(queue_);
    }
    for (auto& [id, call] : left) {
      Answer(std::move(call),
             MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the service shuts down"));
    }
  }

 private:
  // Takes a call that waits out of the line when it is cancelled or late.
  void WatchFor(uint64_t id, const std::shared_ptr<CancellationToken>& cancel, absl::Time deadline)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    std::optional<TimerQueue::Id> timer;
    if (deadline != absl::InfiniteFuture()) {
      timer = timers_->RunAt(deadline, [weak = weak_from_this(), id] {
        if (std::shared_ptr<Line> line = weak.lock()) {
          line->Leave(id, MakeError(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT",
                                    StrCat("the deadline passed in the line for the model ",
                                           line->options_.name)));
        }
      });
    }
    CancellationToken::Registration registration;
    if (cancel != nullptr) {
      registration = cancel->OnCancel([weak = weak_from_this(), id] {
        if (std::shared_ptr<Line> line = weak.lock()) {
          line->Leave(id, MakeError(absl::StatusCode::kCancelled, "CANCELLED",
                                    "cancelled while waiting in line"));
        }
      });
    }
    {
      MutexLock lock(&mutex_);
      auto found = queue_.find(id);
      if (found != queue_.end()) {
        found->second->timer = std::exchange(timer, std::nullopt);
        std::swap(found->second->on_cancel, registration);
      }
    }
    if (timer.has_value()) timers_->Cancel(*timer);  // It has left already.
  }

  void Leave(uint64_t id, absl::Status why) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::unique_ptr<Waiting> call;
    {
      MutexLock lock(&mutex_);
      auto found = queue_.find(id);
      if (found == queue_.end()) return;
      call = std::move(found->second);
      queue_.erase(found);
    }
    Answer(std::move(call), std::move(why));
  }

  // The call, its registration too, ends on the executor: never inside its own cancellation.
  void Answer(std::unique_ptr<Waiting> call, absl::Status status) {
    if (call->timer.has_value()) timers_->Cancel(*call->timer);
    executor_->Run([call = std::move(call), status = std::move(status)]() mutable {
      std::move(call->done)(std::move(status));
    });
  }

  void Begin(std::unique_ptr<Waiting> call) {
    if (call->timer.has_value()) timers_->Cancel(*call->timer);
    call->on_cancel = {};
    inner_->Complete(std::move(call->request), std::move(call->context),
                     [line = shared_from_this(),
                      done = std::move(call->done)](absl::StatusOr<ModelResponse> answer) mutable {
                       line->OnEnd();
                       std::move(done)(std::move(answer));
                     });
  }

  void OnEnd() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::unique_ptr<Waiting> next;
    {
      MutexLock lock(&mutex_);
      if (queue_.empty()) {
        --in_flight_;
        return;
      }
      next = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
    }
    Begin(std::move(next));
  }

  const std::unique_ptr<ModelClient> inner_;
  const Options options_;
  Executor* const executor_;
  TimerQueue* const timers_;
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, std::unique_ptr<Waiting>> queue_ ABSL_GUARDED_BY(mutex_);
};

LimitedModelClient::LimitedModelClient(std::unique_ptr<ModelClient> inner, const Options& options,
                                       Executor* executor, TimerQueue* timers)
    : line_(std::make_shared<Line>(std::move(inner), options, executor, timers)) {}

LimitedModelClient::~LimitedModelClient() { Shutdown(); }

void LimitedModelClient::Complete(ModelRequest request, CallContext context,
                                  Done<ModelResponse> done) {
  auto call = std::make_unique<Waiting>();
  call->request = std::move(request);
  call->context = std::move(context);
  call->done = std::move(done);
  line_->Enter(std::move(call));
}

void LimitedModelClient::Shutdown() { line_->Shutdown(); }

}  // namespace assay::judge
