// Traces that something has happened to since they became due: what their first request said of them
// may hold no more. Kept in memory, so that completing a trace of one request reads nothing of it.
#ifndef ASSAY_SERVICES_TRACE_STORE_CHANGED_TRACES_H_
#define ASSAY_SERVICES_TRACE_STORE_CHANGED_TRACES_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "common/sync/mutex.h"
#include "services/trace/core/ids.h"

namespace assay::trace {

// Thread-safe.
class ChangedTraces {
 public:
  // The latest `max_traces` or more are known.
  explicit ChangedTraces(size_t max_traces = size_t{1} << 18) : part_(max_traces / kParts) {}

  // Of what was before this sequence nothing is known. To be called before all else.
  void BeginAt(uint64_t sequence) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    parts_.clear();
    parts_.push_back({.begin = sequence});
  }

  // To be called before the change is committed. `sequence` is one that is handed out now.
  void Note(const TraceId& trace, uint64_t sequence) ABSL_LOCKS_EXCLUDED(mutex_) {
    const uint64_t name = absl::HashOf(trace);
    MutexLock lock(&mutex_);
    if (parts_.back().traces.size() >= part_) {
      parts_.push_back({.begin = sequence});
      if (parts_.size() > kParts + 1) parts_.pop_front();
    }
    parts_.back().traces.insert(name);
  }

  // False only if nothing has been noted of the trace since this sequence was handed out.
  bool MayHaveChanged(const TraceId& trace, uint64_t since) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const uint64_t name = absl::HashOf(trace);
    MutexLock lock(&mutex_);
    if (since < parts_.front().begin) return true;
    for (const Part& part : parts_) {
      if (part.traces.contains(name)) return true;
    }
    return false;
  }

 private:
  static constexpr size_t kParts = 4;

  struct Part {
    uint64_t begin = 0;  // All that was noted from this sequence on stands here or in later parts.
    // Hashes: that two traces may share one costs a reading.
    absl::flat_hash_set<uint64_t> traces;
  };

  const size_t part_;
  mutable Mutex mutex_;
  std::deque<Part> parts_ ABSL_GUARDED_BY(mutex_) = std::deque<Part>(1);
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_CHANGED_TRACES_H_
