// The RocksDB engine of CompletionStore, on a TraceDb that it shares with the service's other
// stores.
#ifndef ASSAY_SERVICES_TRACE_STORE_COMPLETION_STORE_H_
#define ASSAY_SERVICES_TRACE_STORE_COMPLETION_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "services/trace/core/completion/completion_store.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

// Thread-safe.
class RocksCompletionStore final : public CompletionStore {
 public:
  // `db` outlives the store.
  explicit RocksCompletionStore(TraceDb& db) : db_(db) {}

  absl::StatusOr<std::vector<DueTraces>> TracesDue(uint64_t from_ms, uint64_t now_ms,
                                                   size_t limit) const override;
  absl::StatusOr<std::vector<DueSession>> SessionsDue(uint64_t from_ms, uint64_t now_ms,
                                                      size_t limit) const override;
  absl::StatusOr<std::vector<std::optional<SessionRecord>>> GetSessions(
      absl::Span<const SessionKey> keys) const override;
  absl::StatusOr<std::vector<SessionPosition>> ListSessions(
      uint32_t experiment_number, const std::optional<SessionPosition>& after,
      size_t limit) const override;
  absl::StatusOr<std::vector<TracePosition>> TracesOfSession(
      const SessionKey& session, const std::optional<TracePosition>& after, bool newest_first,
      size_t limit) const override;
  std::optional<uint32_t> NumberOf(const std::string& experiment) const override {
    return db_.FindNumber(experiment);
  }
  std::string ExperimentOf(uint32_t number) const override { return db_.ExperimentOf(number); }
  absl::StatusOr<bool> WasAnswered(const RequestKey& request) const override;
  void Commit(CompletionWrite write, DoneStatus done) override;

 private:
  // States of traces that may be otherwise by now.
  void ForgetChanged(DueTraces& due) const;
  void PutTraces(const CompletionWrite& write, TraceWrite& out) const;
  void PutSessions(const CompletionWrite& write, TraceWrite& out) const;

  TraceDb& db_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_COMPLETION_STORE_H_
