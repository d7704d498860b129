// Deleting traces, and with them the traces of the judgements that were made of them.
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_DELETION_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_DELETION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/exec/done.h"
#include "common/request/request_key.h"
#include "services/trace/core/lifecycle/lifecycle_store.h"
#include "services/trace/core/trace_store.h"
#include "services/trace/store/trace_db.h"
#include "services/trace/store/trace_write.h"

namespace assay::trace {

// One call of LifecycleStore::DeleteTraces. Works through the judgements of a trace, and theirs,
// before the trace itself: whatever ends it in between, the trace is still there to be deleted
// again. Then looks once more for judgements that came in before their trace was gone; later ones
// are refused on arrival. Holds the way to one trace, and the traces of one commit, however many
// judgements there are. Lives until `done` was called. Not thread-safe; its steps follow each other.
class TraceDeletion final : public std::enable_shared_from_this<TraceDeletion> {
 public:
  // `traces` ascend. `freed` is told the bytes of spans that are gone. `db`, and what `freed` uses,
  // outlive the call of `done`.
  TraceDeletion(TraceDb& db, std::string experiment, std::vector<TraceId> traces, RequestKey key,
                LifecycleStore::DeletionAnswer answer, Done<std::string> done,
                std::function<void(int64_t bytes)> freed);

  // Once.
  void Run();

 private:
  // A trace whose judgements are looked for.
  struct Visit {
    TraceId trace;
    std::vector<std::string> names;  // By which judgements name it: its own, and its session's.
    size_t name = 0;                 // The one that is looked for.
    std::optional<TracePosition> after;
  };
  // How far it has come when the last commit, or the one under way, is done.
  struct Progress {
    std::vector<TraceId> again;  // Deleted by the last commit: to be visited once more.
    size_t next = 0;             // Of the traces that were asked for.
    std::vector<Visit> path;     // From one of these to a judgement of a judgement.
    DeletedTraces deleted;
    std::optional<std::string> answer;  // Once all that were asked for are gone.

    bool Finished() const { return answer.has_value() && again.empty() && path.empty(); }
  };

  absl::StatusOr<bool> Prepare(TraceWrite& write);
  void Committed(const absl::Status& status);
  // Begins the next trace; false if there is none.
  absl::StatusOr<bool> Begin();
  // Goes down to one judgement of the last trace on the path, or deletes the trace if it has no
  // more.
  absl::Status Step(TraceWrite& write);
  absl::StatusOr<bool> DescendTo(const TracePosition& found, const std::string& judged);
  absl::Status Erase(const TraceId& trace, TraceWrite& write);
  absl::StatusOr<TraceFacts> ReadFacts(const TraceId& trace) const;
  Visit VisitOf(const TraceId& trace, const TraceFacts& facts) const;

  TraceDb& db_;
  const std::string experiment_;
  const std::vector<TraceId> traces_;
  const RequestKey key_;
  const LifecycleStore::DeletionAnswer answer_;
  Done<std::string> done_;
  const std::function<void(int64_t bytes)> freed_;
  const std::optional<uint32_t> number_;  // Of the experiment.

  Progress done_so_far_;
  // Of the commit under way.
  Progress progress_;
  absl::flat_hash_set<TraceId> erased_;
  int64_t bytes_ = 0;
  std::optional<std::string> answered_;  // Before, to the same request.
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_TRACE_DELETION_H_
