// The RocksDB engine of TraceStore, on a TraceDb that it shares with the service's other stores.
#ifndef ASSAY_SERVICES_TRACE_STORE_ROCKS_TRACE_STORE_H_
#define ASSAY_SERVICES_TRACE_STORE_ROCKS_TRACE_STORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"
#include "services/trace/core/completion/open_sessions.h"
#include "services/trace/core/trace_store.h"
#include "services/trace/store/arrival_rate.h"
#include "services/trace/store/chunk_codec.h"
#include "services/trace/store/trace_db.h"
#include "services/trace/store/trace_latches.h"
#include "services/trace/store/trace_state.h"
#include "services/trace/store/trace_write.h"

namespace assay::trace {

class RequestGroups;

struct RocksTraceStoreOptions {
  // A trace is due for completion this long after its last chunk.
  absl::Duration idle_window = absl::Seconds(30);
  // How chunks are compressed; by default by zstd, and by LZ4, which is faster and takes more room,
  // while many requests are on their way or much arrives.
  std::optional<ChunkCodec> codec;
  // Told of spans that arrive for sessions; outlives the store. May be null.
  OpenSessions* open_sessions = nullptr;
};

// Thread-safe. Every `done` was called before the store is destroyed, and no call is made after
// that.
class RocksTraceStore final : public TraceStore {
 public:
  // `db` outlives the store.
  explicit RocksTraceStore(TraceDb& db, RocksTraceStoreOptions options = {})
      : db_(db), options_(options) {}

  void AppendSpans(std::vector<TraceChunk> chunks, bool register_experiments,
                   Done<AppendResult> done) override;
  void Preregister(std::vector<TraceId> traces, TraceBinding binding, bool register_experiment,
                   RequestKey key, Done<AppendResult> done) override;
  absl::StatusOr<std::optional<StoredTrace>> GetTrace(const TraceId& trace) const override;
  absl::StatusOr<std::vector<std::optional<StoredTrace>>> GetTraces(
      absl::Span<const TraceId> traces) const override;
  absl::StatusOr<std::vector<std::optional<TraceFacts>>> GetFacts(
      absl::Span<const TraceId> traces) const override;
  absl::Status ReadChunks(
      const TraceId& trace,
      absl::FunctionRef<bool(uint64_t sequence, std::string_view otlp)> visit) const override;
  absl::StatusOr<std::optional<std::string>> ReadChunk(const TraceId& trace,
                                                       uint64_t sequence) const override;
  absl::Status ReadLogs(const TraceId& trace,
                        absl::FunctionRef<bool(std::string_view otlp)> visit) const override;
  absl::Status ReadDirectories(
      const TraceId& trace, uint64_t first,
      absl::FunctionRef<bool(uint64_t sequence, const ChunkDirectory& directory)> visit)
      const override;
  absl::Status ScanTraces(const TraceScan& scan,
                          absl::FunctionRef<bool(const TracePosition& entry)> visit) const override;
  absl::StatusOr<TracesOfIndex> TracesWithAssessment(const AssessmentIndex& index,
                                                     size_t limit) const override;
  absl::StatusOr<std::vector<v1::AssessmentDigest>> AssessmentsOf(const TraceId& trace,
                                                                  size_t limit) const override;
  void ApplyAssessments(std::string feedback_store, std::vector<v1::AssessmentChange> changes,
                        Done<int64_t> done) override;
  absl::StatusOr<int64_t> AppliedSequence(std::string_view feedback_store) const override;
  absl::StatusOr<std::vector<std::string>> PendingExperiments(size_t limit) const override;
  void ExperimentCreated(std::string experiment, DoneStatus done) override;

  // Bytes of spans that were packed for speed, as many came at once; since the store was opened.
  int64_t hasty_bytes() const { return hasty_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Append;
  struct Preregistration;
  struct Projection;

  // A batch with its checks, and the experiments to remember once it is durable.
  struct Write : TraceWrite {
    std::vector<std::string> experiments;
    bool new_experiments = false;
    std::map<std::string_view, int64_t> refused;  // Spans by reason.
    int64_t kept_elsewhere = 0;
    std::vector<uint64_t> sessions;  // OpenSessions::KeyOf, if they are to be told.
    std::vector<TraceId> to_complete;
    DueTraces due;  // To be looked at for their completion; all have a place in `states`.
    std::map<std::pair<uint32_t, uint64_t>, int64_t> usage;  // Bytes by experiment and hour.
  };

  // A trace as it is stored, gone and deleted ones too.
  struct TraceRecords {
    TraceState state = TraceState::kFree;
    std::optional<std::string> binding;  // The stored bytes; absent if it was never bound.
    std::optional<std::string> facts;    // The same.
    StoredTrace stored;                  // Of a live one.
  };
  // Of one state of the store.
  absl::StatusOr<std::vector<TraceRecords>> ReadTraces(absl::Span<const TraceId> traces) const;
  // For writers, who meet new traces above all: facts are only looked for where there is a binding.
  // Who deletes a trace between the two changes its binding, which writers check.
  absl::StatusOr<std::vector<TraceRecords>> ReadForWrite(absl::Span<const TraceId> traces) const;
  // Fills in what the binding says; whether the trace is live.
  absl::StatusOr<bool> TakeBinding(std::optional<std::string> binding, uint64_t now_ms,
                                   TraceRecords& records) const;
  static absl::Status TakeFacts(std::optional<std::string> facts, TraceRecords& records);

  // Runs `attempt` until its commit does not collide with another one's.
  void TryAppend(std::shared_ptr<Append> append);
  absl::Status PrepareAppend(Append& append, Write& write) const;
  absl::Status PrepareChunk(const Append& append, TraceChunk& chunk, uint64_t sequence,
                            TraceRecords& records, RequestGroups& groups, Write& write) const;
  void PutDue(uint64_t sequence, Write& write) const;
  // The session of a trace that spans are added to is the first that any of them says.
  void NoteSession(const TraceFacts& before, const TraceFacts& added, Write& write) const;
  void FinishAppend(Append& append, absl::StatusOr<AppendResult> result);
  void TryPreregister(std::shared_ptr<Preregistration> work);
  void FinishPreregister(Preregistration& work, absl::StatusOr<AppendResult> result);
  absl::StatusOr<bool> PreparePreregistration(Preregistration& work, Write& write) const;
  void TryApply(std::shared_ptr<Projection> work);
  absl::Status PrepareProjection(Projection& work, Write& write) const;
  // When assessments of a trace expire: with it. Nullopt if it is gone or deleted: they have no
  // place then. Collides with whoever changes the trace's binding.
  using Lifetimes = absl::flat_hash_map<TraceId, std::optional<keys::Lifetime>>;
  absl::StatusOr<std::optional<keys::Lifetime>> LifetimeFor(const TraceId& trace,
                                                            const std::string& experiment,
                                                            Lifetimes& known, Write& write) const;

  // Binds a free trace, whose latch the caller holds: nobody else binds it meanwhile. `before`: the
  // binding that it had; `with_facts`: the same write puts its facts.
  keys::Lifetime Bind(const TraceId& trace, const TraceBinding& binding,
                      const std::optional<std::string>& before, bool with_facts,
                      Write& write) const;
  // Puts an experiment that nobody has created yet on the list; remembers it in `write`.
  absl::Status RegisterExperiment(const std::string& experiment, Write& write) const;
  bool IsRemembered(const std::string& experiment) const ABSL_LOCKS_EXCLUDED(mutex_);
  void Remember(const std::vector<std::string>& experiments) ABSL_LOCKS_EXCLUDED(mutex_);

  TraceDb& db_;
  const RocksTraceStoreOptions options_;
  TraceLatches latches_;
  std::atomic<int> appending_{0};  // Requests on their way.
  // A tenth of what one core packs by zstd, of judgements a twentieth. Chunks that come faster are
  // packed later, when there is time (ChunkPackerOptions::quiet_bytes).
  ArrivalRate arrivals_{/*bytes_per_second=*/int64_t{24} << 20, /*burst_bytes=*/int64_t{12} << 20};
  std::atomic<int64_t> hasty_bytes_{0};

  mutable Mutex mutex_;
  // Experiments that are on the list or known to exist; what is missing here is looked up.
  mutable absl::flat_hash_set<std::string> remembered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_ROCKS_TRACE_STORE_H_
