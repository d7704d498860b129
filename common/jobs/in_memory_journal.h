// A journal that forgets at the end of the process; for tests.
#ifndef ASSAY_COMMON_JOBS_IN_MEMORY_JOURNAL_H_
#define ASSAY_COMMON_JOBS_IN_MEMORY_JOURNAL_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/exec/executor.h"
#include "common/jobs/journal.h"
#include "common/sync/mutex.h"

namespace assay::jobs {

// Thread-safe. `executor` outlives it and runs the answers.
class InMemoryJournal final : public Journal {
 public:
  explicit InMemoryJournal(Executor& executor) : executor_(executor) {}

  absl::StatusOr<std::optional<std::string>> Find(std::string_view step) const override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    auto found = steps_.find(step);
    if (found == steps_.end()) return std::nullopt;
    return found->second;
  }

  void Record(std::string_view step, std::string answer, DoneStatus done) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      steps_.emplace(step, std::move(answer));
    }
    executor_.Run([done = std::move(done)]() mutable { std::move(done)(absl::OkStatus()); });
  }

  void RecordAll(std::vector<Step> steps, DoneStatus done) override ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      for (Step& step : steps) steps_.emplace(std::move(step.step), std::move(step.answer));
    }
    executor_.Run([done = std::move(done)]() mutable { std::move(done)(absl::OkStatus()); });
  }

  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return steps_.size();
  }

 private:
  Executor& executor_;
  mutable Mutex mutex_;
  std::map<std::string, std::string, std::less<>> steps_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::jobs

#endif  // ASSAY_COMMON_JOBS_IN_MEMORY_JOURNAL_H_
