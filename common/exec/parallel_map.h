// Blocking fan-out over an asynchronous function, for jobs (plain sequential code on a thread of
// its own).
#ifndef ASSAY_COMMON_EXEC_PARALLEL_MAP_H_
#define ASSAY_COMMON_EXEC_PARALLEL_MAP_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/exec/cancellation.h"
#include "common/exec/done.h"
#include "common/sync/mutex.h"

namespace assay::inline exec {

namespace internal_parallel_map {

// Shared with the answers, so that a late one finds it alive.
template <class Out>
struct State {
  Mutex mutex;
  CondVar changed;
  size_t in_flight ABSL_GUARDED_BY(mutex) = 0;
  std::vector<std::optional<absl::StatusOr<Out>>> results ABSL_GUARDED_BY(mutex);

  void WaitUntilBelow(size_t bound) ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(&mutex);
    while (in_flight >= bound) changed.Wait(&mutex);
  }
  void Begin() ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(&mutex);
    ++in_flight;
  }
  void Finish(size_t index, absl::StatusOr<Out> answer) ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(&mutex);
    results[index].emplace(std::move(answer));
    --in_flight;
    changed.SignalAll();
  }
};

}  // namespace internal_parallel_map

// Calls `start` for each item, with at most `width` (at least 1) of them unanswered at a time, and
// returns the answers in the order of `items` once all have come. Blocks: never from a thread that
// the answers need. An item whose answer is dropped gets INTERNAL; after `cancel` (may be null) was
// cancelled, items not yet started get CANCELLED, and those in flight are still waited for.
//   ParallelMap<Row, Verdict>(rows, 8, [&](const Row& row, Done<Verdict> done) { ... });
template <class In, class Out>
std::vector<absl::StatusOr<Out>> ParallelMap(absl::Span<const In> items, int width,
                                             std::function<void(const In&, Done<Out>)> start,
                                             const CancellationToken* cancel = nullptr) {
  auto state = std::make_shared<internal_parallel_map::State<Out>>();
  {
    MutexLock lock(&state->mutex);
    state->results.resize(items.size());
  }
  const size_t bound = static_cast<size_t>(std::max(width, 1));
  for (size_t i = 0; i < items.size(); ++i) {
    state->WaitUntilBelow(bound);
    state->Begin();
    if (cancel != nullptr && cancel->IsCancelled()) {
      state->Finish(i, absl::CancelledError("cancelled before it was started"));
      continue;
    }
    start(items[i], EnsureCalled<Out>([state, i](absl::StatusOr<Out> answer) {
            state->Finish(i, std::move(answer));
          }));
  }
  state->WaitUntilBelow(1);
  std::vector<absl::StatusOr<Out>> answers;
  answers.reserve(items.size());
  MutexLock lock(&state->mutex);
  for (auto& result : state->results) answers.push_back(*std::move(result));
  return answers;
}

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_PARALLEL_MAP_H_
