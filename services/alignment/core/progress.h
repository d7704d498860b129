// Where a running alignment says how far it is.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_PROGRESS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_PROGRESS_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "common/sync/mutex.h"

namespace assay::alignment {

class ProgressListener {
 public:
  virtual ~ProgressListener() = default;
  // Any thread; calls may arrive out of order. Must not block.
  virtual void OnProgress(v1::AlignmentStage stage, int64_t done, int64_t total) = 0;
};

// Counts the steps of one stage after the other. Thread-safe.
class Progress {
 public:
  explicit Progress(ProgressListener& listener) : listener_(listener) {}

  void Begin(v1::AlignmentStage stage, int64_t total) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      stage_ = stage;
      done_ = 0;
      total_ = total;
    }
    listener_.OnProgress(stage, 0, total);
  }
  // There is more to do in this stage than was known.
  void Expect(int64_t more) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    total_ += more;
  }
  void Step() ABSL_LOCKS_EXCLUDED(mutex_) {
    v1::AlignmentStage stage;
    int64_t done, total;
    {
      MutexLock lock(&mutex_);
      ++done_;
      stage = stage_;
      done = done_;
      total = total_ < done_ ? done_ : total_;
    }
    listener_.OnProgress(stage, done, total);
  }

 private:
  ProgressListener& listener_;
  Mutex mutex_;
  v1::AlignmentStage stage_ ABSL_GUARDED_BY(mutex_) = v1::ALIGNMENT_STAGE_UNSPECIFIED;
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t total_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_PROGRESS_H_
