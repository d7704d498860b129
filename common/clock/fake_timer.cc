#include "common/clock/fake_timer.h"

namespace assay::inline clock {

FakeTimerQueue::FakeTimerQueue(FakeClock* clock) : clock_(clock) {
  listener_ = clock_->AddListener([this] { RunDue(); });
}

FakeTimerQueue::~FakeTimerQueue() { clock_->RemoveListener(listener_); }

TimerQueue::Id FakeTimerQueue::RunAt(absl::Time when, Task task) {
  MutexLock lock(&mutex_);
  const Id id = next_id_++;
  tasks_.emplace(std::pair(when, id), std::move(task));
  return id;
}

TimerQueue::Id FakeTimerQueue::RunAfter(absl::Duration delay, Task task) {
  return RunAt(clock_->Now() + delay, std::move(task));
}

bool FakeTimerQueue::Cancel(Id id) {
  Task dropped;  // Declared before the lock, so destroyed without it.
  MutexLock lock(&mutex_);
  for (auto task = tasks_.begin(); task != tasks_.end(); ++task) {
    if (task->first.second != id) continue;
    dropped = std::move(task->second);
    tasks_.erase(task);
    return true;
  }
  return false;
}

size_t FakeTimerQueue::RunDue() {
  size_t ran = 0;
  while (true) {
    Task due;
    {
      const absl::Time now = clock_->Now();
      MutexLock lock(&mutex_);
      if (tasks_.empty() || tasks_.begin()->first.first > now) return ran;
      due = std::move(tasks_.begin()->second);
      tasks_.erase(tasks_.begin());
    }
    std::move(due)();
    ++ran;
  }
}

size_t FakeTimerQueue::pending() const {
  MutexLock lock(&mutex_);
  return tasks_.size();
}

absl::Time FakeTimerQueue::NextDue() const {
  MutexLock lock(&mutex_);
  return tasks_.empty() ? absl::InfiniteFuture() : tasks_.begin()->first.first;
}

}  // namespace assay::inline clock
