// Which sessions may have a trace in progress: most have none, and need not be read to know that.
#ifndef ASSAY_SERVICES_TRACE_CORE_COMPLETION_OPEN_SESSIONS_H_
#define ASSAY_SERVICES_TRACE_CORE_COMPLETION_OPEN_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sync/mutex.h"

namespace assay::trace {

// Remembers of each session when spans of it arrived, and when a trace of it was left without an
// end: in a few bits, so that one may be taken for open that is not, never the other way round. Fixed
// memory, about a MiB. Knows nothing of the time before the process: until a trace from then would
// be given up (kAbandonedAfter), every session may be open, unless the store was empty. Thread-safe.
class OpenSessions {
 public:
  // `now`: when the store was opened, empty or not.
  OpenSessions(absl::Time now, bool store_is_empty, absl::Duration idle_window);

  // Stands for a session of an experiment, in this process.
  static uint64_t KeyOf(uint32_t experiment_number, std::string_view session);

  // Spans of traces of these sessions arrive. To be said before a read can see them, and again when
  // it can.
  void NoteArrivals(absl::Span<const uint64_t> keys) ABSL_LOCKS_EXCLUDED(mutex_);
  // The idle window of a trace has passed, and its root has not ended.
  void NoteUnended(uint64_t key) ABSL_LOCKS_EXCLUDED(mutex_);
  // Every trace that was due at `now` is dealt with: complete, due again, or noted as one without
  // an end. What arrived long before can be forgotten.
  void AllSettled(absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

  // False: no trace of the session is in progress, or only such as are given up.
  bool MayBeOpen(uint64_t key, absl::Time now) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Two generations of a Bloom filter: what was added is there for `memory` at least.
  class RecentKeys {
   public:
    RecentKeys(absl::Time now, absl::Duration memory);
    void Add(uint64_t key);
    bool MayContain(uint64_t key) const;
    void Forget(absl::Time now);

   private:
    static constexpr size_t kBits = size_t{1} << 21;
    static constexpr size_t kWords = kBits / 64;
    const absl::Duration memory_;
    absl::Time begun_;  // The present generation.
    std::vector<uint64_t> present_;
    std::vector<uint64_t> before_;
  };

  const absl::Time all_known_from_;
  mutable Mutex mutex_;
  bool settled_ ABSL_GUARDED_BY(mutex_) = false;  // Once at least.
  RecentKeys arrivals_ ABSL_GUARDED_BY(mutex_);
  RecentKeys unended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_COMPLETION_OPEN_SESSIONS_H_
