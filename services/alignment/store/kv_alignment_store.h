// The alignment service's store on a key-value store.
#ifndef ASSAY_SERVICES_ALIGNMENT_STORE_KV_ALIGNMENT_STORE_H_
#define ASSAY_SERVICES_ALIGNMENT_STORE_KV_ALIGNMENT_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "services/alignment/core/alignment_store.h"

namespace assay::alignment {

inline constexpr uint32_t kAlignmentSchemaVersion = 1;

class KvAlignmentStore final : public AlignmentStore {
 public:
  // All three outlive the store and the `done`s of its writes.
  KvAlignmentStore(kv::Store& store, Executor& executor, Clock& clock)
      : store_(store), executor_(executor), clock_(clock) {}

  absl::StatusOr<std::optional<v1::Alignment>> Find(
      const names::AlignmentName& name) const override;
  absl::StatusOr<std::optional<AlignmentResult>> FindResult(
      const names::AlignmentName& name) const override;
  absl::StatusOr<AlignmentInput> ReadInput(const names::AlignmentName& name) const override;
  absl::StatusOr<std::vector<v1::Alignment>> List(std::string_view experiment,
                                                  std::string_view after, int limit) const override;
  absl::StatusOr<std::vector<names::AlignmentName>> ListRunning() const override;
  void FindAnswer(RequestKey key, Done<std::optional<v1::Alignment>> done) override;
  void Insert(RequestKey key, v1::Alignment alignment, AlignmentInput input,
              Done<v1::Alignment> done) override;
  void Apply(RequestKey key, names::AlignmentName name, Change change,
             std::optional<AlignmentResult> result, Done<v1::Alignment> done) override;
  std::unique_ptr<jobs::Journal> OpenJournal(const std::string& uid) override;
  absl::Status ForgetJournal(const std::string& uid) override;

 private:
  kv::Store& store_;
  Executor& executor_;
  Clock& clock_;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_STORE_KV_ALIGNMENT_STORE_H_
