// What the trace service keeps about completions: what is due to be looked at, sessions, and the
// feed of events that watchers follow. The engine is RocksCompletionStore (store/); tests run it on
// files in memory.
#ifndef ASSAY_SERVICES_TRACE_CORE_COMPLETION_COMPLETION_STORE_H_
#define ASSAY_SERVICES_TRACE_CORE_COMPLETION_COMPLETION_STORE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "assay/storage/v1/trace_records.pb.h"
#include "common/exec/done.h"
#include "common/request/request_key.h"
#include "services/trace/core/ids.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

using SessionRecord = storage::v1::SessionRecord;

// All that completing asks of a trace of which one request is there.
struct DueState {
  uint32_t experiment_number = 0;
  uint64_t bound_ms = 0;
  bool root_ended = false;
  std::string session;
};

// Traces that may be complete at a time (milliseconds of the Unix epoch), one or more.
struct DueTraces {
  uint64_t due_ms = 0;
  std::vector<TraceId> traces;
  // Of the request that brought them together; 0 of one that is due by itself.
  uint64_t sequence = 0;
  // None, or one for each trace: what that request said of it, where it was the first one.
  std::vector<std::optional<DueState>> states;
};

struct SessionKey {
  uint32_t experiment_number = 0;  // In this store.
  std::string session;
  auto operator<=>(const SessionKey&) const = default;
};

struct DueSession {
  uint64_t due_ms = 0;
  SessionKey session;
};

struct CompletedTrace {
  TraceId trace;
  std::string experiment;
  // As in the trace's facts.
  uint32_t experiment_number = 0;
  uint64_t bound_ms = 0;
  storage::v1::CompletionRecord completion;
};

struct SessionChange {
  SessionKey key;
  SessionRecord record;
  uint64_t replaced_activity_ms = 0;  // Of the record before; 0 if there was none.
  std::string completed_in;           // Set: tells watchers of this experiment of a completion.
};

// One step of completing: all of it or nothing.
struct CompletionWrite {
  std::vector<CompletedTrace> traces;
  std::vector<SessionChange> sessions;
  std::vector<DueTraces> settled_traces;  // No more due.
  std::vector<DueTraces> armed_traces;    // Due from now on.
  std::vector<DueSession> settled_sessions;
  std::vector<DueSession> armed_sessions;
  std::vector<RequestKey> requests;  // Remembered as answered for 24 hours.
};

// A place in the sessions of an experiment, the most recently active first.
struct SessionPosition {
  uint64_t last_activity_ms = 0;
  std::string session;
};

// Thread-safe. Reads block on the disk. `done` runs on the store's executor, never inline.
class CompletionStore {
 public:
  virtual ~CompletionStore() = default;

  // What is due from `from_ms` to `now_ms`, both included, the earliest first: until `limit` traces
  // are there, or a few more of the last request. States are there of traces that are as their
  // request left them; all others are to be read.
  virtual absl::StatusOr<std::vector<DueTraces>> TracesDue(uint64_t from_ms, uint64_t now_ms,
                                                           size_t limit) const = 0;
  virtual absl::StatusOr<std::vector<DueSession>> SessionsDue(uint64_t from_ms, uint64_t now_ms,
                                                              size_t limit) const = 0;

  // In the order of `keys`; nullopt for a session none of whose traces was ever complete.
  virtual absl::StatusOr<std::vector<std::optional<SessionRecord>>> GetSessions(
      absl::Span<const SessionKey> keys) const = 0;
  // Behind `after`, the most recently active first.
  virtual absl::StatusOr<std::vector<SessionPosition>> ListSessions(
      uint32_t experiment_number, const std::optional<SessionPosition>& after,
      size_t limit) const = 0;
  // The traces of a session by start. An entry is a hint, as TraceStore::ScanTraces's: only the one
  // with the trace's present start counts, and the trace says itself to which session it belongs.
  virtual absl::StatusOr<std::vector<TracePosition>> TracesOfSession(
      const SessionKey& session, const std::optional<TracePosition>& after, bool newest_first,
      size_t limit) const = 0;

  // nullopt for an experiment without traces; empty for a number that no experiment has.
  virtual std::optional<uint32_t> NumberOf(const std::string& experiment) const = 0;
  virtual std::string ExperimentOf(uint32_t number) const = 0;

  // Whether the same request was answered within 24 hours. INVALID_ARGUMENT REQUEST_ID_REUSED if
  // its id was used for another one. False for an empty id.
  virtual absl::StatusOr<bool> WasAnswered(const RequestKey& request) const = 0;

  // Errors: UNAVAILABLE when the store is busy or full; nothing is written then.
  virtual void Commit(CompletionWrite write, DoneStatus done) = 0;
};

struct FeedEvent {
  uint64_t sequence = 0;
  storage::v1::FeedRecord record;
};

// The events of a store, in the order in which they happened. Thread-safe. Reads block on the disk.
class FeedStore {
 public:
  virtual ~FeedStore() = default;

  // Events behind `after`, in order. What follows the last of them comes later; a place that is
  // passed over stays empty.
  virtual absl::StatusOr<std::vector<FeedEvent>> ReadFeed(uint64_t after, size_t limit) const = 0;
  // The last event that can be read, or the place before the first one that will be.
  virtual absl::StatusOr<uint64_t> LastEvent() const = 0;
  // Events before this place are kept no more.
  virtual uint64_t FirstKept() const = 0;
  // Distinguishes this store from all others; the same as long as the store lives.
  virtual const std::string& Identity() const = 0;
  // Forgets the events that happened before a time (milliseconds of the Unix epoch).
  virtual void Trim(uint64_t before_ms, DoneStatus done) = 0;
  // `listener` is called after events have become readable; one for all, nullptr for none.
  virtual void OnEvents(std::function<void()> listener) = 0;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_COMPLETION_COMPLETION_STORE_H_
