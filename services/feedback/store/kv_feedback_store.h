// The feedback service's store on a key-value store.
#ifndef ASSAY_SERVICES_FEEDBACK_STORE_KV_FEEDBACK_STORE_H_
#define ASSAY_SERVICES_FEEDBACK_STORE_KV_FEEDBACK_STORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "common/kv/transaction.h"
#include "services/feedback/core/feedback_store.h"
#include "services/feedback/core/outbox.h"
#include "services/feedback/store/sequence_allocator.h"

namespace assay::feedback {

inline constexpr uint32_t kFeedbackSchemaVersion = 1;

struct RecordDraft;

class KvFeedbackStore final : public FeedbackStore, public Outbox {
 public:
  // Gives a new store its identity. All three outlive the store and the `done`s of its writes.
  // Blocks.
  static absl::StatusOr<std::unique_ptr<KvFeedbackStore>> Open(kv::Store& store, Executor& executor,
                                                               Clock& clock);

  const std::string& StoreId() const override { return store_id_; }

  absl::StatusOr<std::optional<v1::Assessment>> Find(
      const names::AssessmentName& name) const override;
  absl::StatusOr<AssessmentPage> List(const AssessmentRange& range) const override;
  absl::StatusOr<LabelledPage> ListLabelled(const LabelledRange& range) const override;
  absl::StatusOr<std::vector<v1::Assessment>> ListRevisions(
      const names::AssessmentName& name) const override;
  void Insert(RequestKey key, std::vector<v1::Assessment> assessments, IfTaken if_taken,
              Done<Written> done) override;
  void ChangeOne(RequestKey key, names::AssessmentName name, Change change,
                 Done<Written> done) override;
  void OverrideOne(RequestKey key, names::AssessmentName name, MakeOverride make,
                   Done<Written> done) override;
  void DeleteOne(RequestKey key, names::AssessmentName name, Unlink unlink,
                 Done<Written> done) override;

  absl::StatusOr<std::vector<trace::v1::AssessmentChange>> Pending(int limit,
                                                                   size_t max_bytes) const override;
  absl::Status Acknowledge(int64_t sequence) override;
  void Listen(std::function<void()> changed) override {
    sequences_.SetListener(std::move(changed));
  }
  void StopListening() override { sequences_.SetListener({}); }

 private:
  using MakeDraft = std::function<absl::StatusOr<RecordDraft>(kv::Transaction& txn)>;

  KvFeedbackStore(kv::Store& store, Executor& executor, Clock& clock, std::string store_id,
                  int64_t acknowledged, int64_t last_sequence)
      : store_(store),
        executor_(executor),
        clock_(clock),
        store_id_(std::move(store_id)),
        acknowledged_(acknowledged),
        sequences_(last_sequence) {}

  // Runs a write: what `make` drafts, with its indexes, earlier revisions, outbox and request
  // record.
  void Write(RequestKey key, MakeDraft make, Done<Written> done);
  // Tells again, as they stand now, what lies in the outbox at or below the acknowledged position:
  // changes whose commit seemed to have failed, while later ones were confirmed, and which recovery
  // found on disk after all.
  absl::Status ReissueLateChanges();

  kv::Store& store_;
  Executor& executor_;
  Clock& clock_;
  const std::string store_id_;
  std::atomic<int64_t> acknowledged_;
  SequenceAllocator sequences_;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_STORE_KV_FEEDBACK_STORE_H_
