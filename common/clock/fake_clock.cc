#include "common/clock/fake_clock.h"

#include <utility>
#include <vector>

namespace assay::inline clock {

FakeClock::FakeClock() : now_(absl::FromUnixSeconds(1735689600)) {}

absl::Time FakeClock::Now() {
  MutexLock lock(&mutex_);
  return now_;
}

void FakeClock::Advance(absl::Duration by) {
  {
    MutexLock lock(&mutex_);
    now_ += by;
  }
  CallListeners();
}

void FakeClock::Set(absl::Time now) {
  {
    MutexLock lock(&mutex_);
    now_ = now;
  }
  CallListeners();
}

uint64_t FakeClock::AddListener(std::function<void()> listener) {
  MutexLock lock(&mutex_);
  const uint64_t id = next_id_++;
  listeners_.emplace(id, std::move(listener));
  return id;
}

void FakeClock::RemoveListener(uint64_t id) {
  MutexLock lock(&mutex_);
  listeners_.erase(id);
}

void FakeClock::CallListeners() {
  std::vector<std::function<void()>> listeners;
  {
    MutexLock lock(&mutex_);
    for (const auto& [id, listener] : listeners_) listeners.push_back(listener);
  }
  for (const auto& listener : listeners) listener();
}

}  // namespace assay::inline clock
