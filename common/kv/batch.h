// One decision of a service as one atomic write: what must still be true, and what then changes.
//
//   kv::Batch batch;
//   batch.CheckAbsent(experiment_key);
//   batch.Put(experiment_key, record);
//   batch.Put(name_index_key, id);
//   store.Commit(std::move(batch), std::move(done));
#ifndef ASSAY_COMMON_KV_BATCH_H_
#define ASSAY_COMMON_KV_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace assay::kv {

inline constexpr size_t kMaxKeyBytes = 8 << 10;
inline constexpr size_t kMaxBatchBytes = 64 << 20;

// Not thread-safe. Operations apply in the order in which they were added; checks apply to the
// state before the first of them.
class Batch {
 public:
  struct Check {
    std::string key;
    std::optional<std::string> expected;  // nullopt: the key must be absent (or expired)
  };
  enum class Kind { kPut, kDelete, kAdd };
  struct Operation {
    Kind kind = Kind::kPut;
    std::string key;
    std::string value;                               // kPut
    absl::Time expires_at = absl::InfiniteFuture();  // kPut
    int64_t delta = 0;                               // kAdd
  };

  void CheckEquals(std::string key, std::string expected);
  void CheckAbsent(std::string key);
  void CheckIs(std::string key, std::optional<std::string> expected);

  // From `expires_at` on (microsecond precision) the entry is invisible to every read and check,
  // and the engine removes it at its own pace.
  void Put(std::string key, std::string value, absl::Time expires_at = absl::InfiniteFuture());
  void Delete(std::string key);

  // Adds to a counter without reading it. A counter's value reads as EncodeCounter(sum); overflow
  // wraps. An absent entry, an entry with an expiry, and a value that is not 8 bytes count as 0.
  void Add(std::string key, int64_t delta);

  const std::vector<Check>& checks() const { return checks_; }
  const std::vector<Operation>& operations() const { return operations_; }
  bool empty() const { return checks_.empty() && operations_.empty(); }
  size_t bytes() const { return bytes_; }  // keys, values and a constant for each entry

  // INVALID_ARGUMENT for an empty or oversized key, RESOURCE_EXHAUSTED (BATCH_TOO_LARGE) above
  // kMaxBatchBytes. Every Store asks this before a commit.
  absl::Status Validate() const;

 private:
  std::vector<Check> checks_;
  std::vector<Operation> operations_;
  size_t bytes_ = 0;
};

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_BATCH_H_
