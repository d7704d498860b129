#include "common/rpc/live_calls.h"

#include <utility>

namespace assay::rpc {

uint64_t LiveCalls::Add(std::string_view method, absl::Time started) {
  MutexLock lock(&mutex_);
  const uint64_t id = next_id_++;
  calls_.emplace(id, Entry{{std::string(method), started}, nullptr});
  return id;
}

void LiveCalls::Remove(uint64_t id) {
  // What the entry holds is destroyed without the lock.
  Entry removed;
  MutexLock lock(&mutex_);
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  removed = std::move(found->second);
  calls_.erase(found);
}

bool LiveCalls::SetEndStream(uint64_t id, EndStream end) {
  MutexLock lock(&mutex_);
  if (draining_) return false;
  const auto found = calls_.find(id);
  if (found != calls_.end()) found->second.end = std::move(end);
  return true;
}

void LiveCalls::EndStreams(const absl::Status& status) {
  std::vector<EndStream> ends;
  {
    MutexLock lock(&mutex_);
    draining_ = true;
    for (auto& [id, entry] : calls_) {
      if (entry.end != nullptr) ends.push_back(std::exchange(entry.end, nullptr));
    }
  }
  for (const EndStream& end : ends) end(status);
}

std::vector<LiveCalls::Call> LiveCalls::List() const {
  std::vector<Call> calls;
  MutexLock lock(&mutex_);
  calls.reserve(calls_.size());
  for (const auto& [id, entry] : calls_) calls.push_back(entry.call);
  return calls;
}

size_t LiveCalls::size() const {
  MutexLock lock(&mutex_);
  return calls_.size();
}

bool LiveCalls::draining() const {
  MutexLock lock(&mutex_);
  return draining_;
}

}  // namespace assay::rpc
