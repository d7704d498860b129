// The database under the stores of the trace service: one directory, one process at a time. The
// stores (of spans, completions, lifetimes, ...) share it; it knows what they have in common:
// sequences, numbers of experiments, horizons, and the feed of events.
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_DB_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_DB_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/rocks/committer.h"
#include "common/rocks/db.h"
#include "common/sync/mutex.h"
#include "services/trace/store/changed_traces.h"
#include "services/trace/store/horizons.h"
#include "services/trace/store/trace_families.h"
#include "services/trace/store/trace_write.h"

namespace assay::trace {

struct TraceDbOptions {
  std::string path;                     // A directory, created if absent.
  int64_t max_queued_bytes = 64 << 20;  // Commits waiting; above it UNAVAILABLE (OVERLOADED).
  int64_t memory_bytes = kDefaultMemoryBytes;
  rocksdb::Env* env = nullptr;  // Default: the real one; not owned.
  // Asked before writes that make the store grow; its error refuses them. Quick, thread-safe.
  std::function<absl::Status()> check_writable;
};

// Thread-safe. Every `done` was called before the database is destroyed, and no call is made after
// that. Virtual for tests only.
class TraceDb {
 public:
  // `executor` (calls of `done`) and `clock` outlive it. Errors as rocks::Db::Open.
  static absl::StatusOr<std::unique_ptr<TraceDb>> Open(const TraceDbOptions& options,
                                                       Executor& executor, Clock& clock);
  virtual ~TraceDb() = default;

  rocks::Db& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(keys::Family family) const { return db_->family(family); }
  Executor& executor() const { return executor_; }
  Clock& clock() const { return clock_; }
  uint64_t NowMs() const;
  // Whether the store may grow: asked by each write that brings something new, not by those that
  // delete or note what has happened.
  absl::Status CheckWritable() const {
    return check_writable_ ? check_writable_() : absl::OkStatus();
  }
  // Distinguishes this database from all others, as long as it lives; a copy has the same.
  const std::string& identity() const { return identity_; }

  // Higher than every sequence before, also of earlier openings.
  uint64_t NextSequence() { return next_sequence_.fetch_add(1, std::memory_order_relaxed); }

  // Whoever changes a trace that is stored notes it here, before the commit.
  void NoteChanged(const TraceId& trace) {
    changed_.Note(trace, next_sequence_.load(std::memory_order_relaxed));
  }
  const ChangedTraces& changed() const { return changed_; }

  // The number of an experiment that has one.
  std::optional<uint32_t> FindNumber(const std::string& experiment) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The same, or a new one, which `write` then makes durable.
  uint32_t NumberFor(const std::string& experiment, TraceWrite& write) ABSL_LOCKS_EXCLUDED(mutex_);
  // The experiment of a number; empty if there is none.
  std::string ExperimentOf(uint32_t number) const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::pair<std::string, uint32_t>> Experiments() const ABSL_LOCKS_EXCLUDED(mutex_);

  Horizons& horizons() { return *horizons_; }
  const Horizons& horizons() const { return *horizons_; }
  // The time at which a trace of the experiment is bound now: never before its horizon.
  uint64_t BoundMsNow(uint32_t number) const;

  // Everything of a write in one step, durable when `done` says OK; `done` runs on the executor.
  // Events get their places in the feed in the order in which they become visible. Errors as
  // rocks::Committer::Commit.
  void Commit(TraceWrite write, DoneStatus done) ABSL_LOCKS_EXCLUDED(feed_mutex_, mutex_);

  // The place that the next event gets at least. Everything below is either visible or will never
  // be, once a commit that began before this call is done.
  uint64_t FeedEnd() const ABSL_LOCKS_EXCLUDED(feed_mutex_);
  // `listener` is called, on the executor, after events have become visible; one for all.
  void OnFeed(std::function<void()> listener) ABSL_LOCKS_EXCLUDED(mutex_);

 protected:
  TraceDb(Executor& executor, Clock& clock) : executor_(executor), clock_(clock) {}
  absl::Status OpenAll(const TraceDbOptions& options);
  rocks::Committer& committer() { return *committer_; }
  // Hands a batch to the committer.
  virtual void Submit(rocks::WriteBatch batch, std::vector<rocks::Check> checks, DoneStatus done);

 private:
  absl::Status BeginEpoch();
  absl::Status LoadExperiments();
  absl::Status LoadPolicies();
  absl::Status FindFeedEnd();
  void Committed(const std::vector<std::string>& numbered, bool events);

  Executor& executor_;
  Clock& clock_;
  const std::shared_ptr<Horizons> horizons_ = std::make_shared<Horizons>();
  std::unique_ptr<rocks::Db> db_;
  std::unique_ptr<rocks::Committer> committer_;  // After db_: ends first.
  std::atomic<uint64_t> next_sequence_{0};
  ChangedTraces changed_;
  std::function<absl::Status()> check_writable_;  // Before the first use, then never changed.
  std::string identity_;

  mutable Mutex mutex_;
  struct Numbered {
    uint32_t number = 0;
    bool durable = false;
  };
  absl::flat_hash_map<std::string, Numbered> numbers_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint32_t, std::string> experiments_ ABSL_GUARDED_BY(mutex_);
  uint32_t next_number_ ABSL_GUARDED_BY(mutex_) = 1;
  std::shared_ptr<const std::function<void()>> listener_ ABSL_GUARDED_BY(mutex_);

  // Held while a batch with events is handed to the committer, so that the order of the feed is the
  // order of commits.
  mutable Mutex feed_mutex_;
  uint64_t next_event_ ABSL_GUARDED_BY(feed_mutex_) = 1;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_TRACE_DB_H_
