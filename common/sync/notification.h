// A one-time event between threads.
#ifndef ASSAY_COMMON_SYNC_NOTIFICATION_H_
#define ASSAY_COMMON_SYNC_NOTIFICATION_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"

namespace assay::inline sync {

// Thread-safe. May be destroyed as soon as a wait has returned.
class Notification {
 public:
  // A second call does nothing.
  void Notify() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasBeenNotified() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Wait() const ABSL_LOCKS_EXCLUDED(mutex_);
  // False if `timeout` passed first.
  bool WaitFor(absl::Duration timeout) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  bool notified_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace assay::inline sync

#endif  // ASSAY_COMMON_SYNC_NOTIFICATION_H_
