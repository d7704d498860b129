#include "common/rocks/options.h"

#include <algorithm>
#include <cstdarg>

#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"

namespace assay::rocks {
namespace {

class Silence final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

std::shared_ptr<rocksdb::TableFactory> Tables(const DbOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, /*num_shard_bits=*/2);
  // In the cache, so that the cache's size bounds them too.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_size = 16 << 10;
  table.format_version = 5;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

}  // namespace

rocksdb::Options StoreOptions(const DbOptions& options) {
  rocksdb::Options rocks;
  if (options.env != nullptr) rocks.env = options.env;
  rocks.create_if_missing = true;
  rocks.create_missing_column_families = true;

  rocks.paranoid_checks = true;
  rocks.force_consistency_checks = true;
  rocks.flush_verify_memtable_count = true;
  // Recovery is a prefix: it ends before the first record that is not whole.
  rocks.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;

  rocks.table_factory = Tables(options);
  rocks.compression = rocksdb::kLZ4Compression;
  // What stays longest takes the least room. The default level 3 would save another 2 percent.
  rocks.bottommost_compression = rocksdb::kZSTD;
  rocks.bottommost_compression_opts.enabled = true;
  rocks.bottommost_compression_opts.level = 1;
  rocks.level_compaction_dynamic_level_bytes = true;
  rocks.write_buffer_size = std::min<uint64_t>(options.write_buffer_bytes, 8 << 20);
  rocks.wal_bytes_per_sync = 512 << 10;
  rocks.db_write_buffer_size = options.write_buffer_bytes;
  rocks.max_write_buffer_number = 2;
  // One thread writes (common/rocks/committer.h).
  rocks.allow_concurrent_memtable_write = false;
  rocks.target_file_size_base = 16 << 20;
  rocks.max_bytes_for_level_base = 256 << 20;
  rocks.max_total_wal_size = options.max_log_bytes;
  rocks.max_open_files = options.max_open_files;
  // Merges wait for the disk more than for a core. With one at a time, the new files of one family pile
  // up while those of another are merged, and writers are slowed down for it. Nor must they be because
  // a merge waits behind others, or moves values that stand in files of their own.
  rocks.max_background_jobs = 4;
  rocks.level0_slowdown_writes_trigger = 64;
  rocks.level0_stop_writes_trigger = 128;
  rocks.bytes_per_sync = 1 << 20;
  // A reader that is the last to need a buffer or a file must not be the one to free it: a search beside
  // an ingest would wait for that.
  rocks.avoid_unnecessary_blocking_io = true;

  rocks.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  rocks.max_log_file_size = 1 << 20;
  rocks.keep_log_file_num = 3;
  rocks.stats_dump_period_sec = 0;
  rocks.stats_persist_period_sec = 0;
  return rocks;
}

rocksdb::ColumnFamilyOptions FamilyRocksOptions(const FamilyOptions& family,
                                                const rocksdb::Options& store) {
  rocksdb::ColumnFamilyOptions options(store);
  options.merge_operator = family.merge_operator;
  // A value that is merged to again and again is read in bounded time.
  if (family.merge_operator != nullptr) options.max_successive_merges = 32;
  options.compaction_filter_factory = family.compaction_filter_factory;
  options.write_buffer_size = family.write_buffer_bytes;
  options.max_write_buffer_number = family.max_write_buffers;
  if (family.often_absent) {
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = 0.02;
  }
  auto table = *store.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
  if (family.only_scanned) table.filter_policy = nullptr;
  if (family.prefix_bytes > 0) {
    options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(family.prefix_bytes));
    table.whole_key_filtering = false;
  }
  table.block_size = family.block_bytes;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (family.bucket_bytes != nullptr) {
    options.memtable_factory = NewBucketMemTableFactory(family.bucket_bytes);
  }
  if (family.packed_for_speed) options.bottommost_compression = options.compression;
  options.level0_file_num_compaction_trigger = family.max_new_files;
  if (family.merged_by_size) {
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    rocksdb::CompactionOptionsUniversal& universal = options.compaction_options_universal;
    // While a large merge runs, new files are not merged in pairs.
    universal.min_merge_width = 4;
    // All is merged into one when what is newer has grown to four times the oldest: less often saves
    // copies, and what was written twice takes little here.
    universal.max_size_amplification_percent = 400;
  }
  if (family.compressed_values) {
    options.compression = rocksdb::kNoCompression;
    options.bottommost_compression = rocksdb::kNoCompression;
  }
  if (family.min_blob_bytes > 0) {
    options.enable_blob_files = true;
    options.min_blob_size = family.min_blob_bytes;
    options.blob_compression_type =
        family.compressed_values ? rocksdb::kNoCompression : rocksdb::kLZ4Compression;
    options.blob_file_size = 64 << 20;
  }
  if (family.rewrite_after > absl::ZeroDuration()) {
    options.periodic_compaction_seconds =
        static_cast<uint64_t>(absl::ToInt64Seconds(family.rewrite_after));
  }
  return options;
}

std::shared_ptr<rocksdb::Logger> SilentLogger() { return std::make_shared<Silence>(); }

}  // namespace assay::rocks
