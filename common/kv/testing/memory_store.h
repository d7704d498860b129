// The fake of kv::Store: everything in memory, nothing survives.
#ifndef ASSAY_COMMON_KV_TESTING_MEMORY_STORE_H_
#define ASSAY_COMMON_KV_TESTING_MEMORY_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "common/sync/mutex.h"

namespace assay::kv {

// Thread-safe. `executor` and `clock` must outlive the store.
class MemoryStore final : public Store {
 public:
  MemoryStore(Executor& executor, Clock& clock);

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      absl::Span<const std::string> keys) const override;
  absl::StatusOr<std::vector<Entry>> Scan(const ScanRange& range) const override;
  std::unique_ptr<const Reader> Snapshot() const override;
  void Commit(Batch batch, DoneStatus done) override;
  absl::Status CommitAndWait(Batch batch) override;

  // Every commit from now on fails with this; OK ends it.
  void FailCommitsWith(absl::Status status);

  struct Stored {
    std::string value;
    absl::Time expires_at = absl::InfiniteFuture();
  };
  using Entries = std::map<std::string, Stored, std::less<>>;

 private:
  class MemorySnapshot;

  absl::Status Apply(const Batch& batch);

  Executor& executor_;
  Clock& clock_;
  mutable Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  // Replaced, not changed, while a snapshot holds it.
  std::shared_ptr<Entries> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_TESTING_MEMORY_STORE_H_
