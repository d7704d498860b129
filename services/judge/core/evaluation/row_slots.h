// How many rows of an evaluation ask somebody at a time.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_SLOTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_SLOTS_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/judge/core/evaluation/gathering.h"

namespace assay::judge {

// A row holds a slot while the application, judges or scorers are asked about it; not while it waits
// for its trace, or for what it came to to be stored: in that time another one can ask. First come,
// first served; some begin together, which takes a few milliseconds at most. Thread-safe; outlives
// who waits.
class RowSlots {
 public:
  RowSlots(int slots, const GatheringPlace& place)
      : begin_(place, Together(slots),
               [](std::vector<Task> rows, Task ended) {
                 for (Task& row : rows) std::move(row)();
                 std::move(ended)();
               }),
        free_(slots) {}

  // Runs `begin` with a slot: before returning if one is free, else on the executor.
  void Take(Task begin) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      if (free_ == 0) {
        waiting_.push_back(std::move(begin));
        return;
      }
      --free_;
    }
    std::move(begin)();
  }

  // Once for each slot that was taken.
  void GiveBack() ABSL_LOCKS_EXCLUDED(mutex_) {
    Task next;
    {
      MutexLock lock(&mutex_);
      if (waiting_.empty()) {
        ++free_;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    begin_.Add(std::move(next), /*bytes=*/0);
  }

 private:
  // Questions that go out together, and so their answers, cost less than one by one.
  static GatheringOptions Together(int slots) {
    GatheringOptions options;
    options.enough = static_cast<size_t>(std::max(slots / 8, 1));
    options.patience = absl::Milliseconds(3);
    return options;
  }

  Gathering<Task> begin_;
  Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  std::deque<Task> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_SLOTS_H_
