// Optimistic transactions over a Store: read one snapshot, buffer writes, commit them on the
// condition that everything read by Get is unchanged.
//
//   RunTransaction(store, executor, [=](Transaction& txn) -> absl::Status {
//     ASSAY_ASSIGN_OR_RETURN(auto record, txn.Get(key));
//     ...
//     txn.Put(key, updated);
//     return absl::OkStatus();
//   }, std::move(done));
//
// What Get and MultiGet return is checked at commit. What Scan returns is not: where a decision
// depends on a whole range (names in use, the highest revision), keep a key beside the range that
// every writer of the range changes, and Get it in the same transaction.
#ifndef ASSAY_COMMON_KV_TRANSACTION_H_
#define ASSAY_COMMON_KV_TRANSACTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/exec/executor.h"
#include "common/kv/batch.h"
#include "common/kv/store.h"

namespace assay::kv {

// Runs of one body before a transaction gives up with ABORTED (CONTENTION).
inline constexpr int kMaxTransactionTries = 32;

// Reads see the transaction's own writes over the snapshot. Not thread-safe. Must not outlive the
// store.
class Transaction {
 public:
  explicit Transaction(const Store& store) : store_(store) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key);
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      absl::Span<const std::string> keys);

  // Without a check at commit: for values that never change, or whose change does not matter.
  absl::StatusOr<std::optional<std::string>> GetUnchecked(std::string_view key);

  // As Store::Scan, with the transaction's own writes. Not checked, see above.
  absl::StatusOr<std::vector<Entry>> Scan(const ScanRange& range);

  // As Batch has them.
  void Put(std::string key, std::string value, absl::Time expires_at = absl::InfiniteFuture());
  void Delete(std::string key);
  void Add(std::string key, int64_t delta);

  bool has_writes() const { return !pending_.empty(); }

  // Checks and writes as a batch; the transaction is over. For RunTransaction and Mutate.
  Batch TakeBatch();

 private:
  // What the transaction did to a key: `base` if it put (a value) or deleted (nullopt) it, then
  // `delta`.
  struct Pending {
    bool replaces = false;
    std::optional<std::string> base;
    absl::Time expires_at = absl::InfiniteFuture();
    bool adds = false;
    int64_t delta = 0;
  };

  const Reader& snapshot();
  // `stored` as this transaction has changed it.
  std::optional<std::string> Overlaid(std::string_view key,
                                      std::optional<std::string> stored) const;

  const Store& store_;
  std::unique_ptr<const Reader> snapshot_;  // taken at the first read
  std::map<std::string, std::optional<std::string>, std::less<>> read_;
  std::map<std::string, Pending, std::less<>> pending_;
};

// Runs `body` on `executor` and commits what it wrote; on a failed check runs it again in a fresh
// transaction, up to kMaxTransactionTries. A body's error ends it and nothing is written. `body`
// has no effects but through its transaction (and what it assigns anew on each run). `done` is
// called once, on `executor`. `store` and `executor` must outlive the call of `done`.
void RunTransaction(Store& store, Executor& executor,
                    absl::AnyInvocable<absl::Status(Transaction&)> body, DoneStatus done);

// The same on the calling thread, blocking; for jobs, start-up and tests.
absl::Status RunTransactionAndWait(Store& store,
                                   absl::AnyInvocable<absl::Status(Transaction&)> body);

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_TRANSACTION_H_
