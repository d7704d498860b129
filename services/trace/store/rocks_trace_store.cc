#include "services/trace/store/rocks_trace_store.h"

#include <limits>
#include <utility>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/rocks/expiring_value.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/core/wire_cursor.h"
#include "services/trace/store/facts_merge.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
// Sequences per opening of the store.
constexpr int kEpochBits = 40;

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError("a stored " + std::string(what) + " cannot be read");
}

// The OTLP bytes within a SpanChunkRecord, without a copy.
std::string_view OtlpOf(std::string_view record) {
  std::string_view otlp;
  WireCursor cursor(record);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.IsBytes(2)) otlp = field.bytes;
  }
  return otlp;
}

absl::StatusOr<std::optional<StoredTrace>> ToStoredTrace(const std::optional<std::string>& binding,
                                                         const std::optional<std::string>& facts) {
  if (!binding.has_value()) return std::nullopt;
  storage::v1::TraceBindingRecord record;
  StoredTrace stored;
  if (!record.ParseFromString(*binding)) return Unreadable("binding");
  if (facts.has_value() && !stored.facts.ParseFromString(*facts)) return Unreadable("trace");
  stored.binding = {record.experiment(), record.evaluation(), record.preregistered()};
  return stored;
}

rocks::DbOptions DbOptionsFor(const std::string& path, Clock& clock) {
  rocks::DbOptions options;
  options.path = path;
  options.store_name = "trace";
  options.families.resize(6);
  // Prompts and documents stay out of the tree, so that compactions do not copy them.
  options.families[keys::kChunks] = {.name = "chunks", .min_blob_bytes = 4096};
  options.families[keys::kTraces] = {.name = "traces", .merge_operator = NewFactsMergeOperator()};
  options.families[keys::kIndex] = {.name = "index"};
  options.families[keys::kAssessments] = {.name = "assessments"};
  options.families[keys::kMeta] = {.name = "meta"};
  options.families[keys::kRequests] = {
      .name = "requests",
      .compaction_filter_factory = rocks::NewExpiryFilterFactory([&clock] { return clock.Now(); }),
      .rewrite_after = absl::Hours(48)};
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksTraceStore>> RocksTraceStore::Open(
    RocksTraceStoreOptions options, Executor& executor, Clock& clock) {
  std::unique_ptr<RocksTraceStore> store(new RocksTraceStore(executor, clock));
  ASSAY_ASSIGN_OR_RETURN(store->db_, rocks::Db::Open(DbOptionsFor(options.path, clock)));
  store->committer_ = std::make_unique<rocks::Committer>(
      *store->db_, executor,
      rocks::CommitterOptions{.max_queued_bytes = options.max_queued_bytes,
                              .max_group_bytes = 16 << 20});
  ASSAY_RETURN_IF_ERROR(store->BeginEpoch());
  return store;
}

absl::Status RocksTraceStore::BeginEpoch() {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored, db_->Get(keys::kMeta, keys::Epoch()));
  uint64_t epoch = 0;
  if (stored.has_value()) {
    std::string_view bytes = *stored;
    if (!rocks::ConsumeUint64(&bytes, &epoch)) return Unreadable("epoch");
  }
  ++epoch;
  std::string value;
  rocks::AppendUint64(epoch, &value);
  rocks::WriteBatch batch;
  batch.Put(db_->family(keys::kMeta), keys::Epoch(), value);
  next_sequence_ = epoch << kEpochBits;
  return committer_->CommitAndWait(std::move(batch));
}

absl::StatusOr<std::optional<StoredTrace>> RocksTraceStore::GetTrace(const TraceId& trace) const {
  ASSAY_ASSIGN_OR_RETURN(std::vector<std::optional<StoredTrace>> traces, GetTraces({trace}));
  return std::move(traces[0]);
}

absl::StatusOr<std::vector<std::optional<StoredTrace>>> RocksTraceStore::GetTraces(
    absl::Span<const TraceId> traces) const {
  std::vector<std::string> wanted;
  wanted.reserve(traces.size() * 2);
  for (const TraceId& trace : traces) {
    wanted.push_back(keys::Binding(trace));
    wanted.push_back(keys::Facts(trace));
  }
  ASSAY_ASSIGN_OR_RETURN(auto values, db_->MultiGet(keys::kTraces, wanted));
  std::vector<std::optional<StoredTrace>> stored;
  stored.reserve(traces.size());
  for (size_t i = 0; i < traces.size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(stored.emplace_back(), ToStoredTrace(values[2 * i], values[2 * i + 1]));
  }
  return stored;
}

absl::Status RocksTraceStore::ReadChunks(
    const TraceId& trace,
    absl::FunctionRef<bool(uint64_t sequence, std::string_view otlp)> visit) const {
  const std::string prefix = keys::ChunkPrefix(trace);
  absl::Status broken;
  auto scanned = rocks::Scan(
      *db_, keys::kChunks,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit, .fill_cache = false},
      [&](std::string_view key, std::string_view value) {
        TraceId found;
        uint64_t sequence = 0;
        broken = keys::DecodeChunk(key, &found, &sequence);
        if (!broken.ok() || !visit(sequence, OtlpOf(value))) return rocks::ScanStep::Stop();
        return rocks::ScanStep::Next();
      });
  return scanned.ok() ? broken : scanned.status();
}

absl::StatusOr<std::optional<std::string>> RocksTraceStore::ReadChunk(const TraceId& trace,
                                                                      uint64_t sequence) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> record,
                         db_->Get(keys::kChunks, keys::Chunk(trace, sequence)));
  if (!record.has_value()) return std::nullopt;
  return std::string(OtlpOf(*record));
}

absl::Status RocksTraceStore::ScanTraces(
    const TraceScan& scan, absl::FunctionRef<bool(const TracePosition& entry)> visit) const {
  const std::string prefix = keys::TimePrefix(scan.experiment);
  rocks::ScanRequest request{.begin = prefix,
                             .end = rocks::PrefixEnd(prefix),
                             .limit = kNoLimit,
                             .reverse = !scan.newest_first};
  if (scan.after.has_value()) {
    const std::string after = keys::Time(scan.experiment, *scan.after);
    if (scan.newest_first) {
      request.begin = after + '\0';
    } else {
      request.end = after;
    }
  }
  absl::Status broken;
  auto scanned =
      rocks::Scan(*db_, keys::kIndex, request, [&](std::string_view key, std::string_view) {
        std::string experiment;
        TracePosition position;
        broken = keys::DecodeTime(key, &experiment, &position);
        if (!broken.ok() || !visit(position)) return rocks::ScanStep::Stop();
        return rocks::ScanStep::Next();
      });
  return scanned.ok() ? broken : scanned.status();
}

absl::StatusOr<TracesOfIndex> RocksTraceStore::TracesWithAssessment(const AssessmentIndex& index,
                                                                    size_t limit) const {
  const std::string prefix = keys::ByNamePrefix(index);
  TracesOfIndex result;
  absl::Status broken;
  auto scanned = rocks::Scan(
      *db_, keys::kIndex, {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit},
      [&](std::string_view key, std::string_view) {
        AssessmentIndex found;
        TraceId trace;
        std::string resource;
        broken = keys::DecodeByName(key, &found, &trace, &resource);
        if (!broken.ok()) return rocks::ScanStep::Stop();
        if (result.traces.size() == limit) {
          result.complete = false;
          return rocks::ScanStep::Stop();
        }
        result.traces.push_back(trace);
        return rocks::ScanStep::SkipTo(rocks::PrefixEnd(keys::ByNameTracePrefix(index, trace)));
      });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return result;
}

absl::StatusOr<std::vector<v1::AssessmentDigest>> RocksTraceStore::AssessmentsOf(
    const TraceId& trace, size_t limit) const {
  const std::string prefix = keys::AssessmentPrefix(trace);
  std::vector<v1::AssessmentDigest> digests;
  absl::Status broken;
  if (limit == 0) return digests;
  auto scanned = rocks::Scan(
      *db_, keys::kAssessments,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = static_cast<int64_t>(limit)},
      [&](std::string_view, std::string_view value) {
        storage::v1::AssessmentDigestRecord record;
        if (!record.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
            !digests.emplace_back().ParseFromString(record.digest())) {
          broken = Unreadable("assessment");
          return rocks::ScanStep::Stop();
        }
        return rocks::ScanStep::Next();
      });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return digests;
}

absl::StatusOr<int64_t> RocksTraceStore::AppliedSequence(std::string_view feedback_store) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored,
                         db_->Get(keys::kMeta, keys::Applied(feedback_store)));
  storage::v1::AppliedSequenceRecord record;
  if (stored.has_value() && !record.ParseFromString(*stored)) return Unreadable("sequence");
  return record.sequence();
}

absl::StatusOr<std::vector<std::string>> RocksTraceStore::PendingExperiments(size_t limit) const {
  const std::string prefix = keys::PendingPrefix();
  std::vector<std::string> pending;
  absl::Status broken;
  auto scanned = rocks::Scan(
      *db_, keys::kMeta,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = static_cast<int64_t>(limit)},
      [&](std::string_view key, std::string_view) {
        broken = keys::DecodePending(key, &pending.emplace_back());
        return broken.ok() ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
      });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return pending;
}

}  // namespace assay::trace
