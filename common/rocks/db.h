// Opening, reading and closing one RocksDB store in the way all of Assay's stores need it. Writes
// go through common/rocks/committer.h, ranges through common/rocks/scan.h.
#ifndef ASSAY_COMMON_ROCKS_DB_H_
#define ASSAY_COMMON_ROCKS_DB_H_

#include <cstdint>
#include <functional>
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
#include "common/rocks/bucket_memtable.h"
#include "rocksdb/compaction_filter.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/merge_operator.h"
#include "rocksdb/write_batch.h"

namespace assay::rocks {

class Db;

// One column family. A store's families are named by their index in DbOptions::families.
struct FamilyOptions {
  std::string name;  // part of the format; not "default", which holds the store's own record
  std::shared_ptr<rocksdb::MergeOperator> merge_operator;
  std::shared_ptr<rocksdb::CompactionFilterFactory> compaction_filter_factory;
  uint64_t write_buffer_bytes = 8 << 20;
  // Filled write buffers that may wait to be flushed before writes wait for them, plus one.
  int max_write_buffers = 2;
  // Keys are often asked for that are not there: a filter in memory tells so.
  bool often_absent = false;
  // Never asked for by key, only walked over: files hold no filter.
  bool only_scanned = false;
  // Where entries are held in memory in buckets: those of a key.
  BucketBytes bucket_bytes = nullptr;
  // Above zero: keys are asked for by their first bytes, so many. Files then hold filters of these
  // prefixes instead of whole keys, and a scan that says ScanRequest::one_prefix leaves out the
  // files that hold none of its prefix.
  size_t prefix_bytes = 0;
  // Of the blocks that are read and unpacked at once: small ones where single keys are asked for.
  size_t block_bytes = size_t{16} << 10;
  // Files are packed for speed, also those that stay longest.
  bool packed_for_speed = false;
  // New files that may wait before they are merged with older ones, or of a family that is merged by
  // size all of its sorted runs: each is looked into by a read.
  int max_new_files = 4;
  // Files are merged with as many of about their size (universal compaction), not with all that a
  // level holds: an entry is copied a few times less, the more the larger the family. While the
  // largest are merged the family takes twice its room. A family cannot go back to levels.
  bool merged_by_size = false;
  // Values come compressed: files add no compression of their own.
  bool compressed_values = false;
  // Above zero: values of this size and more live in blob files, outside the tree. A file goes when
  // nobody refers to it any more; what is left in others is moved by common/rocks/blob_space.h only.
  uint64_t min_blob_bytes = 0;
  // Above zero: every file passes the compaction filter at least this often.
  absl::Duration rewrite_after = absl::ZeroDuration();
};

struct DbOptions {
  std::string path;        // a directory, created (mode 0700) if absent
  std::string store_name;  // [a-z_]+; the directory of another store is refused
  uint32_t schema_version = 1;
  std::vector<FamilyOptions> families;
  // Brings an older store to schema_version; must be repeatable, for it runs again if the process
  // dies before its end. Without it an older store is refused.
  absl::AnyInvocable<absl::Status(Db&, uint32_t from_version)> migrate;

  // Bounds of memory: the cache holds data, index and filter blocks of all families; the write
  // buffers of all families together flush at write_buffer_bytes.
  uint64_t block_cache_bytes = 16 << 20;
  uint64_t write_buffer_bytes = 16 << 20;
  uint64_t max_log_bytes = 64 << 20;  // of the write-ahead log: bounds the time of recovery
  int max_open_files = 512;
  rocksdb::Env* env = nullptr;  // default: the real one; not owned
};

// A consistent state to read. Destroyed before its Db. Thread-safe.
class Snapshot {
 public:
  explicit Snapshot(const Db& db);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  const Db& db_;
  const rocksdb::Snapshot* snapshot_;
};

// Thread-safe. Every user (committer, snapshots, running reads) ends before the Db does.
class Db {
 public:
  // Errors, all FAILED_PRECONDITION with a reason: STORE_LOCKED (another process, or this one, has
  // it open), STORE_MISMATCH (another store's, or not Assay's), STORE_TOO_NEW (written by a newer
  // version), STORE_TOO_OLD (no migration); else as FromRocks. A refused store is left as it was.
  // Families on disk that `options` does not name are kept.
  static absl::StatusOr<std::unique_ptr<Db>> Open(DbOptions options);

  // Waits for background work. Flushes nothing: the write-ahead log has every commit.
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  // nullopt if absent. `family` is an index of DbOptions::families. Blocks on the disk.
  absl::StatusOr<std::optional<std::string>> Get(int family, std::string_view key,
                                                 const Snapshot* snapshot = nullptr) const;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      int family, absl::Span<const std::string> keys, const Snapshot* snapshot = nullptr) const;

  rocksdb::ColumnFamilyHandle* family(int index) const { return families_.at(index); }
  // nullptr for an id that is not one of DbOptions::families.
  rocksdb::ColumnFamilyHandle* FamilyById(uint32_t id) const;
  // For what this layer has no name for (properties, manual compaction). Iterators: only by scan.h.
  rocksdb::DB& raw() const { return *db_; }
  const std::string& path() const { return path_; }

  // Forces what is in memory into files and compacts the family: compaction filters run. For tests
  // and tools.
  absl::Status CompactFamily(int family);

 private:
  Db() = default;
  absl::Status OpenFamilies(DbOptions& options);
  absl::Status CheckIdentity(DbOptions& options);

  std::string path_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;        // as in DbOptions
  std::vector<rocksdb::ColumnFamilyHandle*> other_families_;  // default first, then unnamed ones
};

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_DB_H_
