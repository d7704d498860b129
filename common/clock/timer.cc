#include "common/clock/timer.h"

#include <algorithm>

namespace assay::inline clock {

ThreadTimerQueue::ThreadTimerQueue(Clock* clock) : clock_(clock) {
  thread_ = std::thread([this] { Loop(); });
}

ThreadTimerQueue::~ThreadTimerQueue() {
  std::map<Key, Task>
      dropped;  // Outlives the lock below: what a task holds may call back into this queue.
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  thread_.join();
  MutexLock lock(&mutex_);
  dropped.swap(tasks_);
  moments_.clear();
}

TimerQueue::Id ThreadTimerQueue::RunAt(absl::Time when, Task task) {
  return RunAfter(when - clock_->Now(), std::move(task));
}

TimerQueue::Id ThreadTimerQueue::RunAfter(absl::Duration delay, Task task) {
  // A year stands for all longer delays: adding more to the clock's present could overflow.
  const auto bounded = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      absl::ToChronoNanoseconds(std::clamp(delay, absl::ZeroDuration(), absl::Hours(24 * 365))));
  const Moment moment = std::chrono::steady_clock::now() + bounded;
  MutexLock lock(&mutex_);
  const Id id = next_id_++;
  if (stopping_) return id;  // The task is a parameter: it, too, goes after the lock.
  tasks_.emplace(Key{moment, id}, std::move(task));
  moments_.emplace(id, moment);
  if (tasks_.begin()->first.second == id) changed_.SignalAll();
  return id;
}

bool ThreadTimerQueue::Cancel(Id id) {
  Task dropped;  // Declared before the lock, so destroyed without it: it may call back into this
                 // queue.
  MutexLock lock(&mutex_);
  const auto moment = moments_.find(id);
  if (moment == moments_.end()) return false;
  const auto task = tasks_.find({moment->second, id});
  dropped = std::move(task->second);
  tasks_.erase(task);
  moments_.erase(moment);
  return true;
}

void ThreadTimerQueue::Loop() {
  while (true) {
    Task due;
    {
      MutexLock lock(&mutex_);
      while (!due) {
        if (stopping_) return;
        if (tasks_.empty()) {
          changed_.Wait(&mutex_);
          continue;
        }
        const auto first = tasks_.begin();
        const auto left = first->first.first - std::chrono::steady_clock::now();
        if (left > left.zero()) {
          changed_.WaitFor(&mutex_, absl::FromChrono(left));
          continue;
        }
        due = std::move(first->second);
        moments_.erase(first->first.second);
        tasks_.erase(first);
      }
    }
    std::move(due)();
  }
}

}  // namespace assay::inline clock
