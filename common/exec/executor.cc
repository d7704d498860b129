#include "common/exec/executor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace assay::inline exec {

Executor::~Executor() = default;

ThreadPool::ThreadPool(std::string name, int threads) {
  const int count = std::max(threads, 1);
  {
    MutexLock lock(&queue_->mutex);
    queue_->live_threads = count;
  }
  name.resize(std::min<size_t>(name.size(), 15));  // Linux takes no more.
  for (int i = 0; i < count; ++i) {
    threads_.emplace_back([queue = queue_, name] { Work(*queue, name); });
  }
}

ThreadPool::~ThreadPool() { Shutdown(); }

bool ThreadPool::Queue::ShouldWake() {
  static const int cores = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U));
  const int most = std::min(idle_threads, cores);
  if (waking_threads >= most || std::cmp_less_equal(tasks.size(), waking_threads)) return false;
  ++waking_threads;
  return true;
}

bool ThreadPool::Queue::WaitForTask() {
  while (tasks.empty()) {
    if (shutting_down) {
      --live_threads;
      return false;
    }
    ++idle_threads;
    wake.Wait(&mutex);
    --idle_threads;
    // Also when it woke up by itself: at worst one more thread is woken than there is work for.
    waking_threads = std::max(waking_threads - 1, 0);
  }
  return true;
}

void ThreadPool::Run(Task task) {
  const std::shared_ptr<Queue> queue = queue_;
  bool wake = false;
  {
    MutexLock lock(&queue->mutex);
    if (queue->live_threads > 0) {
      queue->tasks.push_back(std::move(task));
      task = nullptr;
      wake = queue->ShouldWake();
    }
  }
  if (task != nullptr) return std::move(task)();
  // Outside the mutex: a thread that wakes and finds it taken sleeps a second time.
  if (wake) queue->wake.Signal();
}

void ThreadPool::Shutdown() {
  {
    MutexLock lock(&queue_->mutex);
    queue_->shutting_down = true;
    queue_->wake.SignalAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

size_t ThreadPool::QueueLength() const {
  MutexLock lock(&queue_->mutex);
  return queue_->tasks.size();
}

void ThreadPool::Work(Queue& queue, const std::string& name) {
  pthread_setname_np(pthread_self(), name.c_str());
  while (true) {
    Task task;
    bool wake = false;
    {
      MutexLock lock(&queue.mutex);
      if (!queue.WaitForTask()) return;
      task = std::move(queue.tasks.front());
      queue.tasks.pop_front();
      wake = queue.ShouldWake();
    }
    if (wake) queue.wake.Signal();
    std::move(task)();
  }
}

void StrandExecutor::Run(Task task) {
  {
    MutexLock lock(&mutex_);
    queue_.push_back(std::move(task));
    if (active_) return;
    active_ = true;
  }
  base_->Run([this] { RunNext(); });
}

void StrandExecutor::RunNext() {
  Task task;
  {
    MutexLock lock(&mutex_);
    task = std::move(queue_.front());
    queue_.pop_front();
  }
  std::move(task)();
  task = nullptr;
  {
    MutexLock lock(&mutex_);
    if (queue_.empty()) {
      active_ = false;
      return;
    }
  }
  base_->Run([this] { RunNext(); });
}

void InlineExecutor::Run(Task task) { std::move(task)(); }

void ManualExecutor::Run(Task task) {
  MutexLock lock(&mutex_);
  queue_.push_back(std::move(task));
}

bool ManualExecutor::RunOne() {
  Task task;
  {
    MutexLock lock(&mutex_);
    if (queue_.empty()) return false;
    task = std::move(queue_.front());
    queue_.pop_front();
  }
  std::move(task)();
  return true;
}

size_t ManualExecutor::RunAll() {
  size_t ran = 0;
  while (RunOne()) ++ran;
  return ran;
}

size_t ManualExecutor::pending() const {
  MutexLock lock(&mutex_);
  return queue_.size();
}

}  // namespace assay::inline exec
