// What the trace service keeps, in terms of its domain. Engines: RocksTraceStore (store/) and the
// fake InMemoryTraceStore (testing/), the same on files in memory; both pass testing/trace_store_conformance.h.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_STORE_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "assay/trace/v1/trace_service.pb.h"
#include "common/exec/done.h"
#include "common/request/request_key.h"
#include "services/trace/core/ids.h"
#include "services/trace/core/trace_facts.h"

namespace assay::trace {

using ChunkDirectory = storage::v1::ChunkDirectoryRecord;

// Where a trace belongs. Never changes once it is stored.
struct TraceBinding {
  std::string experiment;  // The id.
  std::string evaluation;  // The id, or empty.
  bool preregistered = false;
  friend bool operator==(const TraceBinding&, const TraceBinding&) = default;
};

// The spans of one trace in one request.
struct TraceChunk {
  TraceId trace;
  std::string otlp;      // TracesData with these spans only.
  TraceFacts facts;      // Of these spans; the store adds sequences, arrival and binding.
  TraceBinding claimed;  // Used unless the trace is bound already.
  // Ids and starts of the spans, in the order of `otlp`.
  storage::v1::ChunkDirectoryRecord directory;
  // The sender says that the trace is whole.
  bool complete = false;
};

// The reason of spans that arrive for a trace that was deleted lately.
inline constexpr std::string_view kRefusedDeleted = "TRACE_DELETED";
// The same of a judgement that was made of such a trace.
inline constexpr std::string_view kRefusedJudgement = "JUDGED_TRACE_DELETED";

struct AppendResult {
  bool new_experiments = false;  // Some wait in PendingExperiments().
  // Spans that were not stored, by reason.
  std::map<std::string_view, int64_t> refused;
  // Spans that named another experiment than their trace belongs to: they are kept there.
  int64_t kept_elsewhere = 0;
  // Traces that were completed in the same step, and those that were said to be whole but are yet
  // to be completed: they had spans before, were registered in advance, or belong to a session.
  int64_t completed = 0;
  std::vector<TraceId> to_complete;
};

struct StoredTrace {
  TraceBinding binding;
  TraceFacts facts;                // Empty (schema_version 0) while no span has arrived.
  uint32_t experiment_number = 0;  // In this store.
  uint64_t bound_ms = 0;           // When it was bound, by the server's clock.
};

// A place in an experiment's traces, which are ordered by (start, trace).
struct TracePosition {
  uint64_t start_unix_nano = 0;
  TraceId trace;
  friend bool operator==(const TracePosition&, const TracePosition&) = default;
};

struct TraceScan {
  std::string experiment;
  std::optional<TracePosition> after;  // Begins behind this one, in the direction of the scan.
  bool newest_first = true;
};

// The valid assessments of one name in one experiment.
struct AssessmentIndex {
  std::string experiment;
  bool expectation = false;
  std::string assessment_name;
};

struct TracesOfIndex {
  std::vector<TraceId> traces;  // Distinct, ascending.
  bool complete = true;         // False: there are more than the limit.
};

// Thread-safe. Reads block on the disk: call them on an executor for blocking work. Everything
// acknowledged is seen by every later read and survives the end of the process. `done` runs on the
// store's executor, never inline.
class TraceStore {
 public:
  virtual ~TraceStore() = default;

  // Appends all chunks in one step, durable when `done` says OK; at most one chunk a trace. A trace
  // that is bound keeps its binding, another one gets the claimed one; spans of a trace that was
  // deleted lately are refused. With the spans come the entries of core/index_terms.h at the
  // trace's start: when that moves back, they move along, in the same step. Blocks for reads. With `register_experiments`,
  // experiments of new bindings that are not known to exist are put among PendingExperiments() in
  // the same step. A new trace that is said to be whole is completed, for watchers too, in the same
  // step, where that does not concern others. Errors: UNAVAILABLE when the store is busy or full, ABORTED (CONTENTION) after
  // too many collisions; nothing is stored then.
  virtual void AppendSpans(std::vector<TraceChunk> chunks, bool register_experiments,
                           Done<AppendResult> done) = 0;

  // Binds traces before their spans arrive; all or none. ALREADY_EXISTS if one is bound to
  // something else. The same request again (`key`, 24 hours) is OK without effect; another body
  // under its id is INVALID_ARGUMENT REQUEST_ID_REUSED.
  virtual void Preregister(std::vector<TraceId> traces, TraceBinding binding,
                           bool register_experiment, RequestKey key, Done<AppendResult> done) = 0;

  // nullopt for a trace that is neither bound nor has spans.
  virtual absl::StatusOr<std::optional<StoredTrace>> GetTrace(const TraceId& trace) const = 0;
  // In the order of `traces`.
  virtual absl::StatusOr<std::vector<std::optional<StoredTrace>>> GetTraces(
      absl::Span<const TraceId> traces) const = 0;

  // What is known of traces, without their bindings: half the cost of GetTraces. nullopt for a trace
  // of which nothing is known, and for one that is deleted or gone.
  virtual absl::StatusOr<std::vector<std::optional<TraceFacts>>> GetFacts(
      absl::Span<const TraceId> traces) const = 0;

  // Calls `visit` with each chunk of a trace, oldest first, until it returns false. The views are
  // valid during the call.
  virtual absl::Status ReadChunks(
      const TraceId& trace,
      absl::FunctionRef<bool(uint64_t sequence, std::string_view otlp)> visit) const = 0;
  // nullopt if there is no such chunk.
  virtual absl::StatusOr<std::optional<std::string>> ReadChunk(const TraceId& trace,
                                                               uint64_t sequence) const = 0;

  // Calls `visit` with the directory of each chunk whose sequence is `first` or higher, oldest first,
  // until it returns false. Costs no reading of spans, except of chunks that were written before
  // there were directories.
  virtual absl::Status ReadDirectories(
      const TraceId& trace, uint64_t first,
      absl::FunctionRef<bool(uint64_t sequence, const ChunkDirectory& directory)> visit) const = 0;

  // Calls `visit` with each chunk of log records (LogsData) that belong to spans of a trace, oldest
  // first, until it returns false. The view is valid during the call.
  virtual absl::Status ReadLogs(const TraceId& trace,
                                absl::FunctionRef<bool(std::string_view otlp)> visit) const = 0;

  // Calls `visit` with each entry of the time index until it returns false. An entry is a hint: a
  // trace may have several, and only the one with its earliest start counts.
  virtual absl::Status ScanTraces(
      const TraceScan& scan, absl::FunctionRef<bool(const TracePosition& entry)> visit) const = 0;

  // The traces with a valid assessment of a name; at most `limit`.
  virtual absl::StatusOr<TracesOfIndex> TracesWithAssessment(const AssessmentIndex& index,
                                                             size_t limit) const = 0;
  // The valid assessments of a trace, by resource name; at most `limit`.
  virtual absl::StatusOr<std::vector<v1::AssessmentDigest>> AssessmentsOf(const TraceId& trace,
                                                                          size_t limit) const = 0;

  // Applies those changes whose sequence is above what is applied; the answer is the last that is
  // applied. The changes are valid (trace names, ascending sequences).
  virtual void ApplyAssessments(std::string feedback_store,
                                std::vector<v1::AssessmentChange> changes, Done<int64_t> done) = 0;
  // 0 for a feedback store that has applied nothing.
  virtual absl::StatusOr<int64_t> AppliedSequence(std::string_view feedback_store) const = 0;

  // Experiments that spans named and that nobody has created yet.
  virtual absl::StatusOr<std::vector<std::string>> PendingExperiments(size_t limit) const = 0;
  // Takes one from the list, for good.
  virtual void ExperimentCreated(std::string experiment, DoneStatus done) = 0;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_STORE_H_
