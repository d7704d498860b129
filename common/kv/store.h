// A small transactional key-value store: what the registry, judge, feedback and alignment services
// keep their records in. Engines: RocksStore (common/kv/rocks_store.h) and the fake MemoryStore
// (common/kv/testing/memory_store.h); both pass common/kv/testing/store_conformance.h.
//
// Keys are ordered as bytes; build them with common/kv/keys.h. Expired entries are invisible
// everywhere. Reads block on storage: call them on an executor, never on a gRPC thread.
#ifndef ASSAY_COMMON_KV_STORE_H_
#define ASSAY_COMMON_KV_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/exec/executor.h"
#include "common/kv/batch.h"

namespace assay::kv {

inline constexpr int64_t kMaxScanEntries = 100'000;
inline constexpr int64_t kMaxScanBytes = 64 << 20;

struct Entry {
  std::string key;
  std::string value;
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct ScanRange {
  std::string begin;  // inclusive
  std::string
      end;  // exclusive; empty: to the end of the store. PrefixEnd() makes one from a prefix.
  int64_t limit = 1000;  // 1..kMaxScanEntries
  bool reverse = false;  // from the last entry before `end` downwards
};

// Reads one state of a store. Thread-safe.
class Reader {
 public:
  virtual ~Reader() = default;

  // nullopt if absent or expired.
  virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const = 0;

  // All keys in one state, answers in the order of `keys`.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      absl::Span<const std::string> keys) const = 0;

  // At most `range.limit` visible entries in one state. INVALID_ARGUMENT for a limit out of bounds;
  // RESOURCE_EXHAUSTED (SCAN_TOO_LARGE) above kMaxScanBytes: ask for fewer.
  virtual absl::StatusOr<std::vector<Entry>> Scan(const ScanRange& range) const = 0;
};

// Thread-safe. Reads through the store itself see the latest acknowledged state; a snapshot sees
// one.
class Store : public Reader {
 public:
  // A consistent state for several reads. It must be destroyed before the store, and soon: it keeps
  // old versions on disk.
  virtual std::unique_ptr<const Reader> Snapshot() const = 0;

  // Applies the batch if every check holds; the checks and the write are one atomic step among all
  // commits. `done` runs on the store's executor, never inline, after the write is durable:
  //   OK; ABORTED (CHECK_FAILED), nothing changed; UNAVAILABLE (OVERLOADED with RetryInfo) when the
  //   queue is full; UNAVAILABLE (STORAGE_FULL) when the disk is; INVALID_ARGUMENT or
  //   RESOURCE_EXHAUSTED from Batch::Validate.
  // After an error of the disk itself the effect is unknown until the next successful commit.
  virtual void Commit(Batch batch, DoneStatus done) = 0;

  // The same, blocking; for jobs, start-up and tests. Needs no thread of the executor.
  virtual absl::Status CommitAndWait(Batch batch) = 0;
};

// For engines: INVALID_ARGUMENT unless the limit is within bounds.
absl::Status ValidateScan(const ScanRange& range);
// For engines: the refusal of a commit, and of a scan.
absl::Status CheckFailedError();
absl::Status ScanTooLargeError();

// True for the refusal of a commit whose checks no longer hold.
bool IsCheckFailed(const absl::Status& status);

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_STORE_H_
