// Running jobs: plain sequential code, one thread each, at most so many at a time; the others wait
// their turn.
#ifndef ASSAY_COMMON_JOBS_JOB_POOL_H_
#define ASSAY_COMMON_JOBS_JOB_POOL_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "common/exec/cancellation.h"
#include "common/sync/mutex.h"

namespace assay::jobs {

// Thread-safe.
class JobPool {
 public:
  // A job watches its token and returns soon after it is cancelled. It must not throw.
  using Job = absl::AnyInvocable<void(const std::shared_ptr<CancellationToken>& cancel) &&>;

  // At most `max_running` jobs run at a time.
  explicit JobPool(int max_running);
  // Stop().
  ~JobPool();
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;

  // Runs the job now or when its turn comes. False, and the job is dropped, if one of that id is
  // running or waiting, or the pool has been stopped.
  bool Start(std::string id, Job job) ABSL_LOCKS_EXCLUDED(mutex_);

  // Cancels the token of a job that runs, or one that waits: it still gets its turn, with a
  // cancelled token. False if there is none of that id.
  bool Cancel(std::string_view id) ABSL_LOCKS_EXCLUDED(mutex_);

  bool Has(std::string_view id) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Cancels what runs, drops what waits, and returns when every thread has ended. Not from a job.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    std::string id;
    Job job;
    std::shared_ptr<CancellationToken> cancel;
  };
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  const int max_running_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Entry> waiting_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<CancellationToken>, std::less<>> known_
      ABSL_GUARDED_BY(mutex_);
  int idle_threads_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::jobs

#endif  // ASSAY_COMMON_JOBS_JOB_POOL_H_
