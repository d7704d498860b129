#include "services/feedback/core/outbox_pusher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/exec/call_context.h"
#include "common/log/log.h"
#include "common/status/errors.h"

namespace assay::feedback {

OutboxPusher::OutboxPusher(Outbox& outbox, ProjectionPort& projection, TimerQueue& timers,
                           Executor& executor, Clock& clock, OutboxPusherOptions options)
    : outbox_(outbox),
      projection_(projection),
      timers_(timers),
      executor_(executor),
      clock_(clock),
      options_(options) {}

OutboxPusher::~OutboxPusher() { Stop(); }

void OutboxPusher::Start() {
  outbox_.Listen([this] { Wake(); });
  Wake();
}

void OutboxPusher::Stop() {
  outbox_.StopListening();
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    if (phase_ == Phase::kWaiting && timers_.Cancel(timer_)) phase_ = Phase::kIdle;
  }
  cancel_->Cancel();
  MutexLock lock(&mutex_);
  while (phase_ != Phase::kIdle) idle_.Wait(&mutex_);
}

void OutboxPusher::Wake() {
  {
    MutexLock lock(&mutex_);
    again_ = true;
    if (stopped_ || phase_ != Phase::kIdle) return;
    phase_ = Phase::kRunning;
  }
  executor_.Run([this] { Round(); });
}

bool OutboxPusher::GoOn() {
  MutexLock lock(&mutex_);
  again_ = false;
  if (!stopped_) return true;
  phase_ = Phase::kIdle;
  idle_.SignalAll();
  return false;
}

void OutboxPusher::Round() {
  if (!GoOn()) return;
  absl::StatusOr<std::vector<trace::v1::AssessmentChange>> changes =
      outbox_.Pending(options_.max_changes, options_.max_bytes);
  if (!changes.ok()) return Retry(changes.status());
  if (!changes->empty()) return Send(*std::move(changes));
  {
    MutexLock lock(&mutex_);
    if (!again_ || stopped_) {
      phase_ = Phase::kIdle;
      idle_.SignalAll();
      return;
    }
  }
  executor_.Run([this] { Round(); });
}

void OutboxPusher::Send(std::vector<trace::v1::AssessmentChange> changes) {
  CallContext context;
  context.deadline = clock_.Now() + options_.call_timeout;
  context.cancel = cancel_;
  const int64_t first = changes.front().sequence();
  const int64_t last = changes.back().sequence();
  projection_.Apply(outbox_.StoreId(), std::move(changes), context,
                    [this, first, last](absl::StatusOr<int64_t> applied) {
                      executor_.Run([this, first, last, applied = std::move(applied)] {
                        const absl::Status status = Acknowledge(applied, first, last);
                        if (!status.ok()) return Retry(status);
                        {
                          MutexLock lock(&mutex_);
                          failures_ = 0;
                        }
                        Round();
                      });
                    });
}

absl::Status OutboxPusher::Acknowledge(const absl::StatusOr<int64_t>& applied, int64_t first,
                                       int64_t last) {
  if (!applied.ok()) return applied.status();
  if (*applied < first) {
    return MakeError(absl::StatusCode::kInternal, "PROJECTION_STUCK",
                     "the trace service confirmed none of the changes it was sent");
  }
  return outbox_.Acknowledge(std::min(*applied, last));
}

void OutboxPusher::Retry(const absl::Status& status) {
  MutexLock lock(&mutex_);
  if (stopped_) {
    phase_ = Phase::kIdle;
    idle_.SignalAll();
    return;
  }
  ++failures_;
  // 2^20 times the first wait is far above the greatest one.
  const absl::Duration wait = std::min(
      options_.max_backoff, options_.initial_backoff * (int64_t{1} << std::min(failures_ - 1, 20)));
  log::Warning("changes of assessments did not reach the trace service",
               {{"error", status}, {"failures", failures_}, {"retry_in", wait}});
  phase_ = Phase::kWaiting;
  timer_ = timers_.RunAfter(wait, [this] { EndWait(); });
}

void OutboxPusher::EndWait() {
  {
    MutexLock lock(&mutex_);
    if (stopped_) {
      phase_ = Phase::kIdle;
      idle_.SignalAll();
      return;
    }
    phase_ = Phase::kRunning;
  }
  executor_.Run([this] { Round(); });
}

}  // namespace assay::feedback
