// Waiting out what is temporary: a peer that is down, a queue that is full. A job whose peers are
// away goes on asking, ever more slowly, until they are back or it is cancelled.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_PATIENCE_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_PATIENCE_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/timer.h"
#include "common/exec/cancellation.h"
#include "common/exec/executor.h"

namespace assay::judge {

// Whether the same call may succeed later although nothing changes: UNAVAILABLE, DEADLINE_EXCEEDED,
// ABORTED.
bool IsTemporary(const absl::Status& error);

// Hears of each temporary error, and OK when the call has succeeded after one.
using TroubleReport = std::function<void(const absl::Status&)>;

// Thread-safe.
class Patience {
 public:
  struct Options {
    absl::Duration initial_backoff = absl::Milliseconds(200);
    absl::Duration max_backoff = absl::Seconds(5);
  };

  // Both outlive it and what it has begun; what waits when `timers` goes is answered CANCELLED.
  Patience(Executor& executor, TimerQueue& timers, const Options& options)
      : executor_(executor), timers_(timers), options_(options) {}

  // What it waits with; for others that wait.
  Executor& executor() const { return executor_; }
  TimerQueue& timers() const { return timers_; }

  // `done`, on the executor, after `delay`, or with CANCELLED as soon as `cancel` is cancelled.
  void Wait(const std::shared_ptr<CancellationToken>& cancel, absl::Duration delay,
            DoneStatus done) const;

  // Makes `attempt` until it answers with a value, with an error that is not temporary, or until
  // `cancel` is cancelled (CANCELLED then).
  template <class T>
  void Persist(std::shared_ptr<CancellationToken> cancel, TroubleReport report,
               std::function<void(Done<T>)> attempt, Done<T> done) const {
    auto loop = std::make_shared<Loop<T>>();
    loop->patience = this;
    loop->cancel = std::move(cancel);
    loop->report = std::move(report);
    loop->attempt = std::move(attempt);
    loop->done = std::move(done);
    loop->backoff = options_.initial_backoff;
    loop->Try();
  }

 private:
  template <class T>
  struct Loop : std::enable_shared_from_this<Loop<T>> {
    const Patience* patience = nullptr;
    std::shared_ptr<CancellationToken> cancel;
    TroubleReport report;
    std::function<void(Done<T>)> attempt;
    Done<T> done;
    absl::Duration backoff;
    bool troubled = false;

    void Try() {
      attempt([self = this->shared_from_this()](absl::StatusOr<T> answer) {
        self->Consider(std::move(answer));
      });
    }
    void Consider(absl::StatusOr<T> answer) {
      if (answer.ok() && troubled) report(absl::OkStatus());
      if (answer.ok() || !IsTemporary(answer.status())) return std::move(done)(std::move(answer));
      troubled = true;
      report(answer.status());
      const absl::Duration delay = backoff;
      backoff = std::min(backoff * 2, patience->options_.max_backoff);
      patience->Wait(cancel, delay, [self = this->shared_from_this()](absl::Status waited) {
        if (!waited.ok()) return std::move(self->done)(std::move(waited));
        self->Try();
      });
    }
  };

  Executor& executor_;
  TimerQueue& timers_;
  const Options options_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_PATIENCE_H_
