// Where work runs.
#ifndef ASSAY_COMMON_EXEC_EXECUTOR_H_
#define ASSAY_COMMON_EXEC_EXECUTOR_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "common/exec/done.h"  // IWYU pragma: export
#include "common/sync/mutex.h"

namespace assay::inline exec {

using Task = absl::AnyInvocable<void() &&>;

// Runs tasks. Never refuses one: only admission (AdmissionGate) may refuse work, a continuation of
// admitted work must always run. Thread-safe. A task that throws ends the process.
class Executor {
 public:
  virtual ~Executor();
  // Does not run `task` before returning, except where an implementation says so.
  virtual void Run(Task task) = 0;
};

// A fixed number of threads over one queue, first in first out. No more threads are being woken at a
// time than there are cores; each that wakes up wakes another one if there is more to do. So of many
// short tasks most run on a thread that is awake already. Thread-safe.
class ThreadPool final : public Executor {
 public:
  // `name` shows in debuggers (the first 15 characters). `threads` is at least 1.
  ThreadPool(std::string name, int threads);
  ~ThreadPool() override;  // Shutdown().
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // After Shutdown has drained the queue, runs `task` on the calling thread.
  void Run(Task task) override;

  // Runs all that is queued, and what those tasks queue, then joins the threads. Not from one of
  // the pool's own threads. May be called more than once, by one thread at a time.
  void Shutdown();

  // Tasks that wait for a thread.
  size_t QueueLength() const;

 private:
  struct Queue {
    Mutex mutex;
    CondVar wake;
    std::deque<Task> tasks ABSL_GUARDED_BY(mutex);
    bool shutting_down ABSL_GUARDED_BY(mutex) = false;
    int live_threads ABSL_GUARDED_BY(mutex) = 0;
    int idle_threads ABSL_GUARDED_BY(mutex) = 0;    // Those that wait.
    int waking_threads ABSL_GUARDED_BY(mutex) = 0;  // Of them, those that were signalled.

    // Whether the caller has to signal `wake`, which it does best without the mutex.
    bool ShouldWake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
    // False once there is nothing to run any more.
    bool WaitForTask() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  };

  static void Work(Queue& queue, const std::string& name) ABSL_LOCKS_EXCLUDED(queue.mutex);

  // Shared, so that Run may wake a thread after it has let go of the mutex, though the task may have
  // ended the pool by then.
  const std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
  std::vector<std::thread> threads_;
};

// Runs tasks one after another, in order, on another executor. Must outlive its last task.
// Thread-safe.
class StrandExecutor final : public Executor {
 public:
  explicit StrandExecutor(Executor* base) : base_(base) {}  // `base` outlives the strand.
  void Run(Task task) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void RunNext() ABSL_LOCKS_EXCLUDED(mutex_);

  Executor* const base_;
  Mutex mutex_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool active_ ABSL_GUARDED_BY(mutex_) = false;
};

// For tests: runs each task at once, on the calling thread, before Run returns.
class InlineExecutor final : public Executor {
 public:
  void Run(Task task) override;
};

// For tests: keeps tasks until it is told to run them. Destroys what was never run. Thread-safe.
class ManualExecutor final : public Executor {
 public:
  void Run(Task task) override ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs the oldest task on the calling thread; false if there is none.
  bool RunOne() ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs until nothing is left, also what the tasks add; returns how many ran.
  size_t RunAll() ABSL_LOCKS_EXCLUDED(mutex_);
  size_t pending() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_EXECUTOR_H_
