// Runs the jobs of evaluations: at most one of each, a bounded number in all, again when there is
// more to do.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_JOBS_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_JOBS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/timer.h"
#include "common/exec/cancellation.h"
#include "common/jobs/job_pool.h"
#include "common/names/resource_name.h"
#include "common/sync/mutex.h"
#include "services/judge/core/evaluation/evaluation_job.h"

namespace assay::judge {

// Thread-safe.
class EvaluationJobs {
 public:
  struct Options {
    int max_running = 16;
    absl::Duration restart_delay = absl::Seconds(5);  // After an error of the store.
  };

  // `timers` outlives it.
  EvaluationJobs(JobEnvironment environment, TimerQueue& timers, const Options& options)
      : environment_(std::move(environment)),
        timers_(timers),
        options_(options),
        self_(std::make_shared<Self>(this)),
        pool_(options.max_running) {}
  ~EvaluationJobs() { Stop(); }

  // There may be something to do: runs the job now, when its turn comes, or once more when it is
  // running.
  void Kick(const names::EvaluationName& name) ABSL_LOCKS_EXCLUDED(mutex_);
  // Lets the evaluation's job end soon, if one is running.
  void Interrupt(const names::EvaluationName& name) ABSL_LOCKS_EXCLUDED(mutex_);
  // Tells watchers of an evaluation that somebody else ended.
  void Ended(const std::string& uid) { environment_.changed(uid); }
  // Kicks every evaluation that was running when the process ended.
  absl::Status ResumeAll();
  // Lets all jobs end, and returns when they have. What is under way goes on after a restart.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Active {
    bool again = false;
    std::shared_ptr<CancellationToken> cancel;  // Of the run under way.
  };
  // Lets timers find out that the jobs are gone.
  struct Self {
    explicit Self(EvaluationJobs* jobs) : jobs(jobs) {}
    Mutex mutex;
    EvaluationJobs* jobs ABSL_GUARDED_BY(mutex);
  };

  void Launch(const names::EvaluationName& name);
  void Run(const names::EvaluationName& name, const std::shared_ptr<CancellationToken>& stop)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void RunOnce(const names::EvaluationName& name, const std::shared_ptr<CancellationToken>& stop)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const JobEnvironment environment_;
  TimerQueue& timers_;
  const Options options_;
  const std::shared_ptr<Self> self_;
  Mutex mutex_;
  uint64_t launches_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<names::EvaluationName, Active> active_ ABSL_GUARDED_BY(mutex_);
  jobs::JobPool pool_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_JOBS_H_
