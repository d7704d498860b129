// The RocksDB engine of kv::Store: one directory on a local disk, one process at a time.
#ifndef ASSAY_COMMON_KV_ROCKS_STORE_H_
#define ASSAY_COMMON_KV_ROCKS_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace assay::kv {

struct RocksStoreOptions {
  std::string path;        // a directory, created if absent
  std::string store_name;  // "registry": the directory of another store is refused
  uint32_t schema_version = 1;
  // Brings records of an older schema to schema_version; must be repeatable, for it runs again if
  // the process dies before its end. Without it an older store is refused.
  absl::AnyInvocable<absl::Status(Store&, uint32_t from_version)> migrate;
  int64_t max_queued_bytes = 64 << 20;  // commits waiting; above it OVERLOADED
  rocksdb::Env* env = nullptr;          // tests: a faulty or in-memory file system; not owned
};

// Opens or creates. `executor` (calls of Commit's done) and `clock` (expiry) must outlive the
// store; destruction waits for queued commits and hands their results to the executor. Errors as
// rocks::Db::Open has them: FAILED_PRECONDITION STORE_LOCKED, STORE_MISMATCH, STORE_TOO_NEW,
// STORE_TOO_OLD.
absl::StatusOr<std::unique_ptr<Store>> OpenRocksStore(RocksStoreOptions options, Executor& executor,
                                                      Clock& clock);

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_ROCKS_STORE_H_
