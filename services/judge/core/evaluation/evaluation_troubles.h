// What keeps running evaluations from going on, for whoever looks at them.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_TROUBLES_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_TROUBLES_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/sync/mutex.h"

namespace assay::judge {

// By the evaluation's uid. Forgotten with the process. Thread-safe.
class EvaluationTroubles {
 public:
  // OK clears. True if that changed something.
  bool Set(const std::string& uid, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    if (status.ok()) return troubles_.erase(uid) > 0;
    absl::Status& known = troubles_[uid];
    if (known == status) return false;
    known = status;
    return true;
  }

  // OK if there is none.
  absl::Status Find(std::string_view uid) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    const auto found = troubles_.find(uid);
    return found == troubles_.end() ? absl::OkStatus() : found->second;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, absl::Status, std::less<>> troubles_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_TROUBLES_H_
