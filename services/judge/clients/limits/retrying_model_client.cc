#include "services/judge/clients/limits/retrying_model_client.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/limits/limited_model_client.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxLastErrorChars = 500;

absl::Status Cancelled(std::string_view why) {
  return MakeError(absl::StatusCode::kCancelled, "CANCELLED", why);
}

absl::Duration DelayBefore(const RetryPolicy& policy, int failed_attempts,
                           std::optional<absl::Duration> retry_after, double random) {
  absl::Duration bound = policy.base_delay;
  for (int i = 1; i < failed_attempts && bound < policy.max_delay; ++i) bound *= 2;
  const absl::Duration jitter = std::min(bound, policy.max_delay) * random;
  return jitter + std::min(retry_after.value_or(absl::ZeroDuration()), policy.max_retry_after);
}

}  // namespace

struct RetryingModelClient::Shared {
  std::unique_ptr<ModelClient> inner;
  RetryPolicy policy;
  Dependencies dependencies;
  std::atomic<bool> closed = false;
};

// One call through all its attempts. Owned by whoever will continue it: the attempt, or the timer.
class RetryingModelClient::Call : public std::enable_shared_from_this<Call> {
 public:
  Call(std::shared_ptr<Shared> shared, ModelRequest request, CallContext context,
       Done<ModelResponse> done)
      : shared_(std::move(shared)),
        request_(std::move(request)),
        context_(std::move(context)),
        done_(EnsureCalled<ModelResponse>(std::move(done))) {}

  void Attempt() {
    request_.attempt = ++attempts_;
    shared_->inner->Complete(request_, context_,
                             [self = shared_from_this()](absl::StatusOr<ModelResponse> answer) {
                               self->OnAnswer(std::move(answer));
                             });
  }

 private:
  void OnAnswer(absl::StatusOr<ModelResponse> answer) {
    if (answer.ok()) {
      answer->attempts = attempts_;
      return std::move(done_)(std::move(answer));
    }
    const absl::Status error = answer.status();
    if (context_.Cancelled()) return std::move(done_)(Cancelled("the call was cancelled"));
    if (error.code() == absl::StatusCode::kCancelled) return std::move(done_)(error);
    if (WasNeverAsked(error)) {
      return std::move(done_)(AddErrorMetadata(error, "attempts", StrCat(attempts_ - 1)));
    }
    if (!IsRetriable(error)) return GiveUp(error, "PERMANENT");
    if (shared_->closed.load()) return std::move(done_)(Cancelled("the service shuts down"));
    if (attempts_ >= shared_->policy.max_attempts) return GiveUp(error, "ATTEMPTS");
    const absl::Duration delay = DelayBefore(shared_->policy, attempts_, RetryAfterOf(error),
                                             shared_->dependencies.random());
    const absl::Time now = shared_->dependencies.clock->Now();
    if (now + delay >= context_.deadline) return GiveUp(error, "DEADLINE");
    Wait(now + delay);
  }

  void GiveUp(const absl::Status& error, std::string_view ended_by) {
    const std::string last = json::PreviewOf(ToStd(error.message()), kMaxLastErrorChars);
    const std::string attempts = StrCat(attempts_);
    std::string message = last;
    if (ended_by == "ATTEMPTS") message = StrCat("gave up after ", attempts, " attempts: ", last);
    if (ended_by == "DEADLINE") {
      message = StrCat("the deadline leaves no time after attempt ", attempts, ": ", last);
    }
    absl::Status status =
        MakeError(error.code(), ErrorReason(error), message,
                  {{"attempts", attempts}, {"last_error", last}, {"ended_by", ended_by}});
    if (std::optional<std::string> http_status = ErrorMetadata(error, "http_status")) {
      status = AddErrorMetadata(std::move(status), "http_status", *http_status);
    }
    std::move(done_)(std::move(status));
  }

  void Wait(absl::Time until) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      waiting_ = true;
      timer_ = shared_->dependencies.timers->RunAt(
          until, [self = shared_from_this()] { self->OnTimer(); });
    }
    if (context_.cancel == nullptr) return;
    // Must not keep the call alive: the call owns the registration.
    CancellationToken::Registration registration =
        context_.cancel->OnCancel([weak = weak_from_this()] {
          if (std::shared_ptr<Call> self = weak.lock()) self->OnCancel();
        });
    MutexLock lock(&mutex_);
    // If the wait is over already, `registration` goes at the end of this function, after the lock.
    if (waiting_) std::swap(on_cancel_, registration);
  }

  void OnTimer() ABSL_LOCKS_EXCLUDED(mutex_) {
    if (!EndWait()) return;
    shared_->dependencies.executor->Run([self = shared_from_this()] {
      self->ForgetCancellation();
      if (self->shared_->closed.load()) {
        return std::move(self->done_)(Cancelled("the service shuts down"));
      }
      self->Attempt();
    });
  }

  void OnCancel() ABSL_LOCKS_EXCLUDED(mutex_) {
    if (!EndWait()) return;
    shared_->dependencies.timers->Cancel(timer_);
    shared_->dependencies.executor->Run([self = shared_from_this()] {
      std::move(self->done_)(Cancelled("cancelled between two attempts"));
    });
  }

  void ForgetCancellation() ABSL_LOCKS_EXCLUDED(mutex_) {
    CancellationToken::Registration
        old;  // Its destructor waits for the callback, which takes the lock.
    MutexLock lock(&mutex_);
    std::swap(on_cancel_, old);
  }

  // True for the one who ends it.
  bool EndWait() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return std::exchange(waiting_, false);
  }

  const std::shared_ptr<Shared> shared_;
  ModelRequest request_;  // `attempt` counts.
  const CallContext context_;
  Done<ModelResponse> done_;
  int attempts_ = 0;

  Mutex mutex_;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  TimerQueue::Id timer_ = 0;
  CancellationToken::Registration on_cancel_ ABSL_GUARDED_BY(mutex_);
};

RetryingModelClient::RetryingModelClient(std::unique_ptr<ModelClient> inner,
                                         const RetryPolicy& policy, Dependencies dependencies)
    : shared_(std::make_shared<Shared>()) {
  shared_->inner = std::move(inner);
  shared_->policy = policy;
  shared_->dependencies = std::move(dependencies);
}

RetryingModelClient::~RetryingModelClient() { Shutdown(); }

void RetryingModelClient::Complete(ModelRequest request, CallContext context,
                                   Done<ModelResponse> done) {
  std::make_shared<Call>(shared_, std::move(request), std::move(context), std::move(done))
      ->Attempt();
}

ModelTraits RetryingModelClient::Traits(std::string_view model_uri) const {
  return shared_->inner->Traits(model_uri);
}

void RetryingModelClient::Shutdown() { shared_->closed.store(true); }

}  // namespace assay::judge
