#include "services/feedback/clients/known_traces.h"

namespace assay::feedback {

bool KnownTraces::Contains(const std::string& trace) {
  MutexLock lock(&mutex_);
  const auto place = places_.find(trace);
  if (place == places_.end()) return false;
  by_use_.splice(by_use_.begin(), by_use_, place->second);
  return true;
}

void KnownTraces::Add(const std::string& trace) {
  MutexLock lock(&mutex_);
  if (places_.contains(trace)) return;
  by_use_.push_front(trace);
  places_[trace] = by_use_.begin();
  if (by_use_.size() <= capacity_) return;
  places_.erase(by_use_.back());
  by_use_.pop_back();
}

}  // namespace assay::feedback
