#include "common/rocks/blob_space.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/rocks/status.h"
#include "common/status/status_macros.h"
#include "rocksdb/metadata.h"
#include "rocksdb/options.h"

namespace assay::rocks {
namespace {

// Bytes that may be moved for each that becomes free.
constexpr uint64_t kMovedForOneFree = 3;

// Of the blob files, the oldest first.
double ShareToMove(Db& db, int family) {
  rocksdb::ColumnFamilyMetaData metadata;
  db.raw().GetColumnFamilyMetaData(db.family(family), &metadata);
  std::vector<rocksdb::BlobMetaData>& files = metadata.blob_files;
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.blob_file_number < b.blob_file_number; });
  uint64_t free = 0;
  uint64_t rest = 0;
  size_t moved = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    free += files[i].garbage_blob_bytes;
    rest += files[i].total_blob_bytes - files[i].garbage_blob_bytes;
    if (free > 0 && rest <= kMovedForOneFree * free) moved = i + 1;
  }
  if (moved == 0) return 0;
  // Rounded down by RocksDB to whole files.
  return std::min(1.0, (static_cast<double>(moved) + 0.5) / static_cast<double>(files.size()));
}

absl::Status CompactKeys(Db& db, int family, double moved_share, std::atomic<bool>* canceled) {
  using Policy = rocksdb::BlobGarbageCollectionPolicy;
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.blob_garbage_collection_policy = moved_share > 0 ? Policy::kForce : Policy::kDisable;
  options.blob_garbage_collection_age_cutoff = moved_share;
  options.canceled = canceled;
  return FromRocks(db.raw().CompactRange(options, db.family(family), nullptr, nullptr),
                   "bring space back");
}

}  // namespace

absl::Status ReclaimBlobSpace(Db& db, int family, std::atomic<bool>* canceled) {
  // Afterwards it is known what of each blob file nobody refers to any more.
  ASSAY_RETURN_IF_ERROR(CompactKeys(db, family, /*moved_share=*/0, canceled));
  const double share = ShareToMove(db, family);
  return share > 0 ? CompactKeys(db, family, share, canceled) : absl::OkStatus();
}

}  // namespace assay::rocks
