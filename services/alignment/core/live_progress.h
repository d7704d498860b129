// How far running alignments are, between what the store knows of it.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_LIVE_PROGRESS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_LIVE_PROGRESS_H_

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace assay::alignment {

// Thread-safe.
class LiveProgress {
 public:
  explicit LiveProgress(Clock& clock) : clock_(clock) {}

  // What is worth doing about a step.
  struct Worth {
    bool telling = false;  // Stage or per cent have changed.
    bool keeping =
        false;  // Stage has changed, or a second has passed since progress was last kept.
  };
  Worth Note(const std::string& name, v1::AlignmentStage stage, int64_t done, int64_t total)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Forget(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  // Puts the progress into a running alignment; leaves others as they are.
  void FillIn(v1::Alignment& alignment) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct State {
    v1::AlignmentStage stage = v1::ALIGNMENT_STAGE_UNSPECIFIED;
    int64_t done = 0;
    int64_t total = 0;
    absl::Time kept = absl::InfinitePast();
  };

  Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, State> states_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_LIVE_PROGRESS_H_
