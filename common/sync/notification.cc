#include "common/sync/notification.h"

#include <chrono>

namespace assay::inline sync {

void Notification::Notify() {
  MutexLock lock(&mutex_);
  notified_ = true;
  // Under the lock: a waiter may destroy this object as soon as it can see the flag.
  changed_.SignalAll();
}

bool Notification::HasBeenNotified() const {
  MutexLock lock(&mutex_);
  return notified_;
}

void Notification::Wait() const {
  MutexLock lock(&mutex_);
  while (!notified_) changed_.Wait(&mutex_);
}

bool Notification::WaitFor(absl::Duration timeout) const {
  const auto start = std::chrono::steady_clock::now();
  MutexLock lock(&mutex_);
  while (!notified_) {
    const absl::Duration left =
        timeout - absl::FromChrono(std::chrono::steady_clock::now() - start);
    if (left <= absl::ZeroDuration()) return false;
    changed_.WaitFor(&mutex_, left);
  }
  return true;
}

}  // namespace assay::inline sync
