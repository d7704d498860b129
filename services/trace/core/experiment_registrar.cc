#include "services/trace/core/experiment_registrar.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace assay::trace {

ExperimentRegistrar::ExperimentRegistrar(TraceStore& store, ExperimentCreator& creator,
                                         Executor& executor, TimerQueue& timers, Clock& clock,
                                         RegistrarOptions options)
    : store_(store),
      creator_(creator),
      executor_(executor),
      timers_(timers),
      clock_(clock),
      options_(options),
      backoff_(options.initial_backoff) {}

ExperimentRegistrar::~ExperimentRegistrar() { Stop(); }

void ExperimentRegistrar::Poke() {
  {
    MutexLock lock(&mutex_);
    poked_ = true;
    // While it waits after a failure, the timer will see to it.
    if (stopping_ || state_ != State::kIdle) return;
    state_ = State::kRunning;
  }
  executor_.Run([this] { Step(); });
}

void ExperimentRegistrar::Stop() {
  cancel_->Cancel();
  TimerQueue::Id timer = 0;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    timer = std::exchange(timer_, 0);
  }
  const bool dropped = timer != 0 && timers_.Cancel(timer);
  MutexLock lock(&mutex_);
  if (dropped && state_ == State::kWaiting) state_ = State::kIdle;
  while (state_ != State::kIdle) changed_.Wait(&mutex_);
}

void ExperimentRegistrar::Step() {
  {
    MutexLock lock(&mutex_);
    poked_ = false;
  }
  absl::StatusOr<std::vector<std::string>> pending = store_.PendingExperiments(1);
  if (!pending.ok()) return Failed("", pending.status());
  if (pending->empty()) return Finished();
  CreateFirst(std::move(pending->front()));
}

void ExperimentRegistrar::CreateFirst(std::string experiment) {
  CallContext context;
  context.deadline = clock_.Now() + options_.call_timeout;
  context.cancel = cancel_;
  creator_.Create(experiment, context,
                  [this, experiment](absl::Status status) { Created(experiment, status); });
}

void ExperimentRegistrar::Created(const std::string& experiment, const absl::Status& status) {
  const bool never = status.code() == absl::StatusCode::kInvalidArgument;
  if (!status.ok() && !never) return Failed(experiment, status);
  if (never) {
    log::Warning("an experiment that spans name cannot be created",
                 {{"experiment", experiment}, {"error", status}});
  }
  store_.ExperimentCreated(experiment, [this, experiment](absl::Status stored) {
    if (!stored.ok()) return Failed(experiment, stored);
    Continue();
  });
}

void ExperimentRegistrar::Continue() {
  {
    MutexLock lock(&mutex_);
    backoff_ = options_.initial_backoff;
    poked_ = true;  // Others may be on the list.
  }
  Finished();
}

void ExperimentRegistrar::Finished() {
  {
    MutexLock lock(&mutex_);
    if (stopping_ || !poked_) {
      state_ = State::kIdle;
      changed_.SignalAll();
      return;
    }
  }
  executor_.Run([this] { Step(); });
}

void ExperimentRegistrar::Failed(std::string_view experiment, const absl::Status& status) {
  MutexLock lock(&mutex_);
  if (stopping_) {
    state_ = State::kIdle;
    changed_.SignalAll();
    return;
  }
  log::Info("an experiment could not be created yet",
            {{"experiment", experiment}, {"error", status}, {"retry_after", backoff_}});
  state_ = State::kWaiting;
  timer_ = timers_.RunAfter(backoff_, [this] {
    {
      MutexLock lock(&mutex_);
      timer_ = 0;
      state_ = State::kRunning;
    }
    executor_.Run([this] { Step(); });
  });
  backoff_ = std::min(backoff_ * 2, options_.max_backoff);
}

}  // namespace assay::trace
