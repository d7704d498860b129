// What the trace service keeps of the lives of traces: tags, deletion, retention, room. The engine
// is RocksLifecycleStore (store/).
#ifndef ASSAY_SERVICES_TRACE_CORE_LIFECYCLE_LIFECYCLE_STORE_H_
#define ASSAY_SERVICES_TRACE_CORE_LIFECYCLE_LIFECYCLE_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/exec/done.h"
#include "common/request/request_key.h"
#include "services/trace/core/ids.h"

namespace assay::trace {

inline constexpr uint64_t kHourMs = uint64_t{60} * 60 * 1000;

// First `remove`, then `set`.
struct TagChange {
  std::map<std::string, std::string> set;
  std::vector<std::string> remove;
};

// What an experiment keeps. 0: no bound.
struct RetentionRule {
  int64_t max_age_ms = 0;  // Since a trace was bound.
  int64_t max_bytes = 0;   // Of spans, as they came.
  friend bool operator==(const RetentionRule&, const RetentionRule&) = default;
};

// Spans of the traces that were bound within one hour.
struct UsageHour {
  uint64_t hour = 0;  // Since the Unix epoch.
  int64_t bytes = 0;
  friend bool operator==(const UsageHour&, const UsageHour&) = default;
};

// An experiment that has no traces and no rule yet has all zeroes.
struct ExperimentState {
  std::optional<RetentionRule> rule;  // Nullopt: the service's default holds.
  int64_t version = 0;                // One more with each change of the rule.
  uint64_t horizon_ms = 0;            // Traces bound before are gone.
  std::vector<UsageHour> usage;       // Ascending, without hours that are wholly gone.
};

struct ExperimentChange {
  std::optional<RetentionRule> rule;  // Nullopt: stays.
  uint64_t horizon_ms = 0;            // Raises the horizon; a lower one changes nothing.
  std::string answer;                 // To be recorded and given.
};

struct DeletedTraces {
  int64_t traces = 0;      // Of those that were to be deleted.
  int64_t judgements = 0;  // That went with them.
};

struct StoreSize {
  int64_t bytes = 0;           // Of the store's files.
  int64_t waiting_traces = 0;  // For their completion; of very many, at least so many.
};

// Thread-safe. Reads block on the disk. `done` runs on the store's executor, never inline, when the
// effect is durable. Writes with a request id are recorded: the same request within 24 hours has no
// second effect, another one under its id is INVALID_ARGUMENT (REQUEST_ID_REUSED). UNAVAILABLE when
// the store is busy or full, ABORTED (CONTENTION) after too many collisions.
class LifecycleStore {
 public:
  virtual ~LifecycleStore() = default;

  // What the same request was answered within 24 hours. Errors as above.
  virtual absl::StatusOr<std::optional<std::string>> FindAnswer(const RequestKey& key) const = 0;

  // NOT_FOUND if the trace is not there, or not in `experiment` (`-`: any). INVALID_ARGUMENT
  // (TOO_MANY_TAGS) if it would have more than 100.
  virtual void UpdateTags(TraceId trace, std::string experiment, TagChange change, RequestKey key,
                          DoneStatus done) = 0;

  // Deletes those traces that are there and in `experiment`, with the traces of judgements that were
  // made of them or their sessions there, and of those in turn: all that is known of them goes, and
  // their ids are refused for 24 hours. Several steps if they are many; a trace goes whole or not
  // at all, and after its judgements. `traces` ascend, each once. `answer` makes what is recorded,
  // and given, of what was deleted.
  using DeletionAnswer = std::function<std::string(const DeletedTraces& deleted)>;
  virtual void DeleteTraces(std::string experiment, std::vector<TraceId> traces, RequestKey key,
                            DeletionAnswer answer, Done<std::string> done) = 0;

  virtual absl::StatusOr<ExperimentState> ReadExperiment(const std::string& experiment) const = 0;

  // Changes an experiment as `decide` says of its present state; its error ends the call. `decide`
  // may be called again if somebody else comes first. Traces before a raised horizon are gone from
  // reads when `done` says OK; watchers are told if there were any.
  using DecideChange = std::function<absl::StatusOr<ExperimentChange>(const ExperimentState&)>;
  virtual void ChangeExperiment(std::string experiment, DecideChange decide, RequestKey key,
                                Done<std::string> done) = 0;

  // Experiments that have, or had, traces or a rule.
  virtual std::vector<std::string> Experiments() const = 0;

  virtual absl::StatusOr<StoreSize> Size() const = 0;

  // Bytes of spans that are gone and whose space has not come back yet, about; since the start.
  virtual int64_t ReclaimableBytes() const = 0;
  // Rewrites what holds gone traces, so that their space comes back. Blocks for as long as that
  // takes; the store works on.
  virtual absl::Status ReclaimSpace() = 0;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_LIFECYCLE_LIFECYCLE_STORE_H_
