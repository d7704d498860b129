// Lets one write at a time bind a trace, or change its index.
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_LATCHES_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_LATCHES_H_

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/types/span.h"
#include "common/sync/mutex.h"
#include "services/trace/core/ids.h"

namespace assay::trace {

// Index entries hold the start of their trace, so whoever adds to a trace must know what others add
// at the same time; and a free trace is bound by one. Requests that share a trace therefore take
// turns. Thread-safe.
class TraceLatches {
 public:
  using Retry = absl::AnyInvocable<void() &&>;

  // Takes all (distinct) latches and answers true; or none, and keeps what `retry` makes until one
  // that is taken is free again.
  template <class MakeRetry>
  bool TryAcquire(absl::Span<const TraceId> traces, MakeRetry make_retry) {
    MutexLock lock(&mutex_);
    for (const TraceId& trace : traces) {
      auto taken = taken_.find(trace);
      if (taken == taken_.end()) continue;
      taken->second.push_back(make_retry());
      return false;
    }
    for (const TraceId& trace : traces) taken_.try_emplace(trace);
    return true;
  }

  // Gives all back; the answer is to be run by the caller.
  std::vector<Retry> Release(absl::Span<const TraceId> traces) {
    std::vector<Retry> waiting;
    MutexLock lock(&mutex_);
    for (const TraceId& trace : traces) {
      auto taken = taken_.find(trace);
      if (taken == taken_.end()) continue;
      for (Retry& retry : taken->second) waiting.push_back(std::move(retry));
      taken_.erase(taken);
    }
    return waiting;
  }

 private:
  Mutex mutex_;
  absl::flat_hash_map<TraceId, std::vector<Retry>> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_TRACE_LATCHES_H_
