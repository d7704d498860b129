// One thread per store that makes writes durable: whatever waits goes into one synced write (group
// commit), so that throughput does not depend on how many threads wait.
#ifndef ASSAY_COMMON_ROCKS_COMMITTER_H_
#define ASSAY_COMMON_ROCKS_COMMITTER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "common/exec/executor.h"
#include "common/rocks/db.h"
#include "common/sync/mutex.h"

namespace assay::rocks {

using WriteBatch = rocksdb::WriteBatch;

// A condition on one key, evaluated in order of admission against the state that the batch would
// change.
struct Check {
  int family = 0;
  std::string key;
  // Given the stored value, or nullopt. Not OK refuses the batch with that status. Runs on the
  // committer thread: brief, no I/O.
  absl::AnyInvocable<absl::Status(std::optional<std::string_view> current)> test;
};

struct CommitterOptions {
  int64_t max_queued_bytes =
      64 << 20;  // admitted and not yet written; a single batch may exceed it alone
  int64_t max_group_bytes = 4 << 20;  // a synced write takes batches up to this
};

// Thread-safe.
class Committer {
 public:
  // `db` and `executor` must outlive it.
  Committer(Db& db, Executor& executor, CommitterOptions options = {});

  // Writes what was admitted and hands every result to the executor.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Writes `batch` if every check holds; check and write are one step among all commits. `done`
  // runs on the executor, never inline: OK when the write is on disk; a check's status; UNAVAILABLE
  // (OVERLOADED, RetryInfo) if the queue is full; else as FromRocks, and then the effect is unknown
  // until the next success. After STORAGE_FULL commits succeed again some seconds after there is
  // space. Batches apply in the order of the calls.
  void Commit(WriteBatch batch, std::vector<Check> checks, DoneStatus done);
  void Commit(WriteBatch batch, DoneStatus done) { Commit(std::move(batch), {}, std::move(done)); }

  // The same, blocking. Needs no thread of the executor.
  absl::Status CommitAndWait(WriteBatch batch, std::vector<Check> checks = {});

  int64_t queued_bytes() const;
  int64_t groups_written() const;   // synced writes so far
  int64_t batches_written() const;  // batches in them

 private:
  struct Request {
    WriteBatch batch;
    std::vector<Check> checks;
    DoneStatus done;
    bool inline_done = false;  // CommitAndWait's: wakes its caller only
    int64_t bytes = 0;
  };
  class Group;

  bool Admit(Request& request);
  void Run();
  void WriteQueued(std::deque<Request> queued);
  absl::Status TestChecks(Request& request);
  void WriteGroup(Group& group);
  absl::Status WriteSynced(WriteBatch* batch);
  void Finish(Request& request, const absl::Status& status);
  void Release(int64_t bytes);

  Db& db_;
  Executor& executor_;
  const CommitterOptions options_;
  bool resume_first_ = false;  // committer thread only: the last write failed
  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Request> queue_ ABSL_GUARDED_BY(mutex_);
  int64_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t groups_written_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t batches_written_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_COMMITTER_H_
