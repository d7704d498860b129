#include "services/trace/store/trace_families.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "common/rocks/expiring_value.h"
#include "common/rocks/int64_add.h"
#include "services/trace/store/facts_merge.h"
#include "services/trace/store/index_group.h"
#include "services/trace/store/lifetime_filters.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {
namespace {

constexpr size_t kKind = 2;  // What every key begins with: format and kind.

// Files that nothing else rewrites pass their filter this often.
constexpr absl::Duration kRewriteAfter = absl::Hours(7 * 24);

// The new files of a family are merged when there are so many. Each merge moves all that a level holds,
// so that fewer cost less; a read looks into a few more files until then, most of which their filters
// leave out.
constexpr int kManyNewFiles = 16;

// Of families of which one record is read at a time.
constexpr size_t kSmallBlocks = size_t{4} << 10;

// Entries of the index stand in memory by what they say: those of a term, or of an experiment by
// time, in a bucket, at whose front the latest traces come.
size_t IndexBucket(std::string_view key) {
  const size_t prefix = keys::IndexPrefixBytes(key);
  return prefix > 0 ? prefix : std::min(key.size(), kKind);
}

// Ids of traces are spread evenly.
size_t TraceBucket(std::string_view key) { return std::min(key.size(), kKind + 1); }

// One for each time at which traces are due.
size_t DueBucket(std::string_view key) { return std::min(key.size(), kKind + sizeof(uint64_t)); }

}  // namespace

rocks::DbOptions DbOptionsFor(const std::string& path, int64_t memory_bytes, Clock& clock,
                              std::shared_ptr<Horizons> horizons) {
  rocks::DbOptions options;
  const auto memory = static_cast<uint64_t>(memory_bytes);
  options.write_buffer_bytes = memory / 8 * 5;
  options.block_cache_bytes = memory / 8 * 3;
  // As much log as write buffers hold, and as much again while these are flushed.
  options.max_log_bytes = 4 * options.write_buffer_bytes;
  options.path = path;
  options.store_name = "trace";
  // Version 3: families that are merged by size, and traces that are due together. Version 4: traces
  // that share entries of the index. Programs of earlier versions do not read these; there is nothing
  // to be moved for them.
  options.schema_version = 4;
  options.families.resize(keys::kFamilies);
  options.migrate = [](rocks::Db&, uint32_t) { return absl::OkStatus(); };
  // The write buffers of the families that take most of what is written. The larger that of facts,
  // the less often are its files merged: compactions move more of them than of all else.
  const uint64_t large_buffer = options.write_buffer_bytes / 4;
  // Spans stay out of the tree, so that compactions do not copy them.
  options.families[keys::kChunks] = {.name = "chunks",
                                     .compaction_filter_factory = NewChunkFilterFactory(horizons),
                                     .write_buffer_bytes = large_buffer,
                                     .max_write_buffers = 4,
                                     .bucket_bytes = TraceBucket,
                                     .prefix_bytes = keys::kTracePrefixBytes,
                                     .block_bytes = kSmallBlocks,
                                     .max_new_files = kManyNewFiles,
                                     .merged_by_size = true,
                                     .compressed_values = true,
                                     .min_blob_bytes = 512,
                                     .rewrite_after = kRewriteAfter};
  options.families[keys::kTraces] = {
      .name = "traces",
      .merge_operator = NewFactsMergeOperator(),
      .compaction_filter_factory = NewTraceFilterFactory(horizons, clock),
      .write_buffer_bytes = large_buffer / 2 * 3,
      .max_write_buffers = 4,
      .often_absent = true,
      .bucket_bytes = TraceBucket,
      .block_bytes = kSmallBlocks,
      .packed_for_speed = true,
      .max_new_files = kManyNewFiles,
      .merged_by_size = true,
      .rewrite_after = kRewriteAfter};
  options.families[keys::kIndex] = {.name = "index",
                                    .merge_operator = NewIndexMergeOperator(),
                                    .compaction_filter_factory = NewIndexFilterFactory(horizons),
                                    .write_buffer_bytes = large_buffer / 4 * 3,
                                    .max_write_buffers = 4,
                                    .only_scanned = true,
                                    .bucket_bytes = IndexBucket,
                                    .packed_for_speed = true,
                                    .max_new_files = kManyNewFiles,
                                    .merged_by_size = true,
                                    .rewrite_after = kRewriteAfter};
  options.families[keys::kAssessments] = {
      .name = "assessments",
      .compaction_filter_factory = NewAssessmentFilterFactory(horizons),
      .prefix_bytes = keys::kTracePrefixBytes,
      .rewrite_after = kRewriteAfter};
  options.families[keys::kMeta] = {.name = "meta"};
  options.families[keys::kRequests] = {
      .name = "requests",
      .compaction_filter_factory = rocks::NewExpiryFilterFactory([&clock] { return clock.Now(); }),
      .rewrite_after = absl::Hours(48)};
  options.families[keys::kDirectory] = {
      .name = "directory",
      .compaction_filter_factory = NewChunkFilterFactory(horizons),
      .bucket_bytes = TraceBucket,
      .prefix_bytes = keys::kTracePrefixBytes,
      .packed_for_speed = true,
      .max_new_files = kManyNewFiles,
      .merged_by_size = true,
      .rewrite_after = kRewriteAfter};
  options.families[keys::kDue] = {.name = "due", .bucket_bytes = DueBucket};
  options.families[keys::kSessions] = {
      .name = "sessions",
      .compaction_filter_factory = NewSessionFilterFactory(horizons),
      .rewrite_after = kRewriteAfter};
  options.families[keys::kFeed] = {.name = "feed"};
  options.families[keys::kUsage] = {.name = "usage",
                                    .merge_operator = rocks::NewInt64AddOperator()};
  options.families[keys::kOutbox] = {.name = "outbox"};
  return options;
}

}  // namespace assay::trace
