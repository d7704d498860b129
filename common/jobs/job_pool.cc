#include "common/jobs/job_pool.h"

#include <algorithm>
#include <utility>

namespace assay::jobs {

JobPool::JobPool(int max_running) : max_running_(std::max(max_running, 1)) {}

JobPool::~JobPool() { Stop(); }

bool JobPool::Start(std::string id, Job job) {
  MutexLock lock(&mutex_);
  if (stopped_ || known_.contains(id)) return false;
  auto cancel = std::make_shared<CancellationToken>();
  known_.emplace(id, cancel);
  waiting_.push_back({std::move(id), std::move(job), std::move(cancel)});
  // Threads are made as they are needed: an idle service has none.
  if (idle_threads_ < static_cast<int>(waiting_.size()) &&
      static_cast<int>(threads_.size()) < max_running_) {
    threads_.emplace_back([this] { Work(); });
  }
  wake_.Signal();
  return true;
}

bool JobPool::Cancel(std::string_view id) {
  std::shared_ptr<CancellationToken> cancel;
  {
    MutexLock lock(&mutex_);
    auto found = known_.find(id);
    if (found == known_.end()) return false;
    cancel = found->second;
  }
  cancel->Cancel();
  return true;
}

bool JobPool::Has(std::string_view id) const {
  MutexLock lock(&mutex_);
  return known_.contains(id);
}

void JobPool::Work() {
  while (true) {
    Entry entry;
    {
      MutexLock lock(&mutex_);
      ++idle_threads_;
      while (waiting_.empty() && !stopped_) wake_.Wait(&mutex_);
      --idle_threads_;
      if (waiting_.empty()) return;
      entry = std::move(waiting_.front());
      waiting_.pop_front();
    }
    std::move(entry.job)(entry.cancel);
    MutexLock lock(&mutex_);
    known_.erase(entry.id);
  }
}

void JobPool::Stop() {
  std::vector<std::shared_ptr<CancellationToken>> running;
  std::deque<Entry> dropped;
  std::vector<std::thread> threads;
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
    for (const Entry& entry : dropped) known_.erase(entry.id);
    for (const auto& [id, cancel] : known_) running.push_back(cancel);
    threads.swap(threads_);
    wake_.SignalAll();
  }
  for (const auto& cancel : running) cancel->Cancel();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace assay::jobs
