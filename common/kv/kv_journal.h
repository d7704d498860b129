// The journal of a job, kept in the service's store: what it has paid for or done survives a crash.
#ifndef ASSAY_COMMON_KV_KV_JOURNAL_H_
#define ASSAY_COMMON_KV_KV_JOURNAL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/jobs/journal.h"
#include "common/kv/store.h"

namespace assay::kv {

// Thread-safe. One entry a step; the store outlives the journal and every call of `done`.
class KvJournal final : public jobs::Journal {
 public:
  // `job_id` tells the job from every other of the store, also from one of the same name that was
  // deleted before: use its uid.
  KvJournal(Store& store, std::string job_id);

  absl::StatusOr<std::optional<std::string>> Find(std::string_view step) const override;
  // `done` runs on the store's executor. Errors as Store::Commit has them; a step that cannot be
  // recorded counts as not done.
  void Record(std::string_view step, std::string answer, DoneStatus done) override;
  // In one commit.
  void RecordAll(std::vector<Step> steps, DoneStatus done) override;

  // Removes every step of the job; blocks. For jobs that have ended: what they came to stands in
  // their own records.
  absl::Status Forget();

 private:
  std::string StepKey(std::string_view step) const;
  // Records `steps` from `next` on, one after another.
  void RecordRest(std::shared_ptr<const std::vector<Step>> steps, size_t next, DoneStatus done);

  Store& store_;
  const std::string job_id_;
};

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_KV_JOURNAL_H_
