#include "common/exec/executor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace assay::inline exec {

Executor::~Executor() = default;

ThreadPool::ThreadPool(std::string name, int threads) {
  const int count = std::max(threads, 1);
  {
    MutexLock lock(&mutex_);
    live_threads_ = count;
  }
  name.resize(std::min<size_t>(name.size(), 15));  // Linux takes no more.
  for (int i = 0; i < count; ++i) {
    threads_.emplace_back([this, name] { Work(name); });
  }
}

ThreadPool::~ThreadPool() { Shutdown(); }

void ThreadPool::Run(Task task) {
  {
    MutexLock lock(&mutex_);
    if (live_threads_ > 0) {
      queue_.push_back(std::move(task));
      wake_.Signal();
      return;
    }
  }
  std::move(task)();
}

void ThreadPool::Shutdown() {
  {
    MutexLock lock(&mutex_);
    shutting_down_ = true;
    wake_.SignalAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

size_t ThreadPool::QueueLength() const {
  MutexLock lock(&mutex_);
  return queue_.size();
}

void ThreadPool::Work(const std::string& name) {
  pthread_setname_np(pthread_self(), name.c_str());
  while (true) {
    Task task;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty()) {
        if (shutting_down_) {
          --live_threads_;
          return;
        }
        wake_.Wait(&mutex_);
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
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
