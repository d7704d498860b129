// The RocksDB engine of LifecycleStore, on a TraceDb that it shares with the service's other stores.
#ifndef ASSAY_SERVICES_TRACE_STORE_LIFECYCLE_STORE_H_
#define ASSAY_SERVICES_TRACE_STORE_LIFECYCLE_STORE_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/trace/core/lifecycle/lifecycle_store.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

// Thread-safe. Every `done` was called before the store is destroyed, and no call is made after
// that.
class RocksLifecycleStore final : public LifecycleStore {
 public:
  // `db` outlives the store.
  explicit RocksLifecycleStore(TraceDb& db) : db_(db) {}

  absl::StatusOr<std::optional<std::string>> FindAnswer(const RequestKey& key) const override;
  void UpdateTags(TraceId trace, std::string experiment, TagChange change, RequestKey key,
                  DoneStatus done) override;
  void DeleteTraces(std::string experiment, std::vector<TraceId> traces, RequestKey key,
                    DeletionAnswer answer, Done<std::string> done) override;
  absl::StatusOr<ExperimentState> ReadExperiment(const std::string& experiment) const override;
  void ChangeExperiment(std::string experiment, DecideChange decide, RequestKey key,
                        Done<std::string> done) override;
  std::vector<std::string> Experiments() const override;
  absl::StatusOr<StoreSize> Size() const override;
  int64_t ReclaimableBytes() const override { return reclaimable_; }
  absl::Status ReclaimSpace() override;

  // Ends a ReclaimSpace that is running, soon, and every later one.
  void StopReclaiming() { stop_reclaiming_ = true; }

 private:
  struct Change;

  absl::StatusOr<bool> PrepareTags(const TraceId& trace, const std::string& experiment,
                                   const TagChange& change, const RequestKey& key,
                                   TraceWrite& write);
  absl::StatusOr<bool> PrepareChange(Change& change, TraceWrite& write);
  // `policy`: the stored record, if there is one.
  absl::StatusOr<ExperimentState> ReadState(uint32_t number,
                                            const std::optional<std::string>& policy) const;
  absl::Status Compact(keys::Family family);

  TraceDb& db_;
  std::atomic<int64_t> reclaimable_{0};
  std::atomic<bool> stop_reclaiming_{false};
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_LIFECYCLE_STORE_H_
