#include "services/judge/core/evaluation/patience.h"

#include <optional>

#include "absl/base/thread_annotations.h"
#include "common/status/errors.h"
#include "common/sync/mutex.h"

namespace assay::judge {
namespace {

// One wait: whoever comes first, timer or cancellation, answers.
class Wake {
 public:
  Wake(Executor& executor, DoneStatus done) : executor_(executor), done_(std::move(done)) {}

  void Answer(absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    DoneStatus done;
    CancellationToken::Registration registration;
    {
      MutexLock lock(&mutex_);
      if (!done_.has_value()) return;
      done = *std::exchange(done_, std::nullopt);
      registration = std::move(registration_);
    }
    // The registration goes on the executor too: its end waits for a callback that runs.
    executor_.Run([done = std::move(done), status = std::move(status),
                   registration = std::move(registration)]() mutable {
      registration = {};
      std::move(done)(std::move(status));
    });
  }

  void Keep(CancellationToken::Registration registration) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    if (done_.has_value()) registration_ = std::move(registration);
  }

 private:
  Executor& executor_;
  Mutex mutex_;
  std::optional<DoneStatus> done_ ABSL_GUARDED_BY(mutex_);
  CancellationToken::Registration registration_ ABSL_GUARDED_BY(mutex_);
};

absl::Status Cancelled() {
  return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the job was cancelled");
}

// The timer's task: answers OK when it runs, CANCELLED when it is dropped.
struct Alarm {
  explicit Alarm(std::shared_ptr<Wake> wake) : wake(std::move(wake)) {}
  Alarm(Alarm&&) noexcept = default;
  Alarm& operator=(Alarm&&) = delete;
  ~Alarm() {
    if (wake != nullptr) wake->Answer(Cancelled());
  }
  void operator()() && { std::exchange(wake, nullptr)->Answer(absl::OkStatus()); }
  std::shared_ptr<Wake> wake;
};

}  // namespace

bool IsTemporary(const absl::Status& error) {
  return error.code() == absl::StatusCode::kUnavailable ||
         error.code() == absl::StatusCode::kDeadlineExceeded ||
         error.code() == absl::StatusCode::kAborted;
}

void Patience::Wait(const std::shared_ptr<CancellationToken>& cancel, absl::Duration delay,
                    DoneStatus done) const {
  auto wake = std::make_shared<Wake>(executor_, std::move(done));
  timers_.RunAfter(delay, Alarm(wake));
  if (cancel == nullptr) return;
  wake->Keep(cancel->OnCancel([wake] { wake->Answer(Cancelled()); }));
}

}  // namespace assay::judge
