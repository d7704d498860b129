#include "common/sync/mutex.h"

#include <algorithm>
#include <chrono>

namespace assay::inline sync {

void CondVar::Wait(Mutex* mutex) {
  std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
  condition_.wait(lock);
  lock.release();  // The caller still holds it.
}

bool CondVar::WaitFor(Mutex* mutex, absl::Duration timeout) {
  // A year stands for all longer waits: adding more to the clock's present could overflow.
  const auto bounded =
      absl::ToChronoNanoseconds(std::clamp(timeout, absl::ZeroDuration(), absl::Hours(24 * 365)));
  std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
  const bool signalled = condition_.wait_until(lock, std::chrono::steady_clock::now() + bounded) ==
                         std::cv_status::no_timeout;
  lock.release();
  return signalled;
}

}  // namespace assay::inline sync
