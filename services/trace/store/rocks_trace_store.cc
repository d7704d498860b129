#include "services/trace/store/rocks_trace_store.h"

#include <limits>
#include <utility>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/store/index_scan.h"
#include "services/trace/store/log_store.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError("a stored " + std::string(what) + " cannot be read");
}

}  // namespace

absl::StatusOr<std::optional<StoredTrace>> RocksTraceStore::GetTrace(const TraceId& trace) const {
  ASSAY_ASSIGN_OR_RETURN(std::vector<std::optional<StoredTrace>> traces, GetTraces({trace}));
  return std::move(traces[0]);
}

absl::StatusOr<std::vector<std::optional<StoredTrace>>> RocksTraceStore::GetTraces(
    absl::Span<const TraceId> traces) const {
  ASSAY_ASSIGN_OR_RETURN(std::vector<TraceRecords> records, ReadTraces(traces));
  std::vector<std::optional<StoredTrace>> live(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].state == TraceState::kLive) live[i] = std::move(records[i].stored);
  }
  return live;
}

absl::StatusOr<std::vector<std::optional<TraceFacts>>> RocksTraceStore::GetFacts(
    absl::Span<const TraceId> traces) const {
  std::vector<std::string> wanted;
  wanted.reserve(traces.size());
  for (const TraceId& trace : traces) wanted.push_back(keys::Facts(trace));
  ASSAY_ASSIGN_OR_RETURN(auto values, db_.db().MultiGet(keys::kTraces, wanted));
  std::vector<std::optional<TraceFacts>> all(traces.size());
  for (size_t i = 0; i < traces.size(); ++i) {
    if (!values[i].has_value()) continue;
    TraceFacts facts;
    if (!facts.ParseFromString(*values[i])) return Unreadable("trace");
    // A deletion takes the facts with it.
    if (db_.horizons().IsGone({facts.experiment_number(), facts.bound_ms()})) continue;
    all[i] = std::move(facts);
  }
  return all;
}

absl::StatusOr<std::vector<RocksTraceStore::TraceRecords>> RocksTraceStore::ReadTraces(
    absl::Span<const TraceId> traces) const {
  std::vector<std::string> wanted;
  wanted.reserve(traces.size() * 2);
  for (const TraceId& trace : traces) {
    wanted.push_back(keys::Binding(trace));
    wanted.push_back(keys::Facts(trace));
  }
  ASSAY_ASSIGN_OR_RETURN(auto values, db_.db().MultiGet(keys::kTraces, wanted));
  const uint64_t now_ms = db_.NowMs();
  std::vector<TraceRecords> all(traces.size());
  for (size_t i = 0; i < traces.size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(const bool live, TakeBinding(std::move(values[2 * i]), now_ms, all[i]));
    if (live) ASSAY_RETURN_IF_ERROR(TakeFacts(std::move(values[2 * i + 1]), all[i]));
  }
  return all;
}

absl::StatusOr<std::vector<RocksTraceStore::TraceRecords>> RocksTraceStore::ReadForWrite(
    absl::Span<const TraceId> traces) const {
  std::vector<std::string> wanted;
  wanted.reserve(traces.size());
  for (const TraceId& trace : traces) wanted.push_back(keys::Binding(trace));
  ASSAY_ASSIGN_OR_RETURN(auto bindings, db_.db().MultiGet(keys::kTraces, wanted));
  const uint64_t now_ms = db_.NowMs();
  std::vector<TraceRecords> all(traces.size());
  wanted.clear();
  std::vector<size_t> known;
  for (size_t i = 0; i < traces.size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(const bool live, TakeBinding(std::move(bindings[i]), now_ms, all[i]));
    if (!live) continue;
    known.push_back(i);
    wanted.push_back(keys::Facts(traces[i]));
  }
  if (known.empty()) return all;
  ASSAY_ASSIGN_OR_RETURN(auto facts, db_.db().MultiGet(keys::kTraces, wanted));
  for (size_t i = 0; i < known.size(); ++i) {
    ASSAY_RETURN_IF_ERROR(TakeFacts(std::move(facts[i]), all[known[i]]));
  }
  return all;
}

absl::StatusOr<bool> RocksTraceStore::TakeBinding(std::optional<std::string> binding,
                                                  uint64_t now_ms, TraceRecords& records) const {
  records.binding = std::move(binding);
  if (!records.binding.has_value()) return false;
  storage::v1::TraceBindingRecord record;
  if (!record.ParseFromString(*records.binding)) return Unreadable("binding");
  records.state = StateOfBinding(record, db_.horizons(), now_ms);
  if (records.state != TraceState::kLive) return false;
  StoredTrace& stored = records.stored;
  stored.binding = {record.experiment(), record.evaluation(), record.preregistered()};
  stored.experiment_number = record.experiment_number();
  stored.bound_ms = record.bound_ms();
  return true;
}

absl::Status RocksTraceStore::TakeFacts(std::optional<std::string> facts, TraceRecords& records) {
  records.facts = std::move(facts);
  if (records.facts.has_value() && !records.stored.facts.ParseFromString(*records.facts)) {
    return Unreadable("trace");
  }
  return absl::OkStatus();
}

absl::Status RocksTraceStore::ReadChunks(
    const TraceId& trace,
    absl::FunctionRef<bool(uint64_t sequence, std::string_view otlp)> visit) const {
  const std::string prefix = keys::ChunkPrefix(trace);
  absl::Status broken;
  std::string unfolded;
  auto scanned = rocks::Scan(
      db_.db(), keys::kChunks,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit, .one_prefix = true},
      [&](std::string_view key, std::string_view value) {
        TraceId found;
        uint64_t sequence = 0;
        keys::Lifetime lifetime;
        broken = keys::DecodeChunk(key, &found, &sequence, &lifetime);
        if (!broken.ok()) return rocks::ScanStep::Stop();
        // The id was bound before, and that trace is gone.
        if (db_.horizons().IsGone(lifetime)) return rocks::ScanStep::Next();
        absl::StatusOr<std::string_view> otlp = DecodeChunk(value, &unfolded);
        broken = otlp.status();
        if (!broken.ok() || !visit(sequence, *otlp)) return rocks::ScanStep::Stop();
        return rocks::ScanStep::Next();
      });
  return scanned.ok() ? broken : scanned.status();
}

absl::StatusOr<std::optional<std::string>> RocksTraceStore::ReadChunk(const TraceId& trace,
                                                                      uint64_t sequence) const {
  const std::string prefix = keys::ChunkPrefix(trace, sequence);
  std::optional<std::string> otlp;
  absl::Status broken;
  auto scanned = rocks::Scan(
      db_.db(), keys::kChunks,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = 1, .one_prefix = true},
      [&](std::string_view, std::string_view value) {
        std::string unfolded;
        absl::StatusOr<std::string_view> bytes = DecodeChunk(value, &unfolded);
        broken = bytes.status();
        if (broken.ok()) otlp = std::string(*bytes);
        return rocks::ScanStep::Stop();
      });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return otlp;
}

absl::Status RocksTraceStore::ReadLogs(const TraceId& trace,
                                       absl::FunctionRef<bool(std::string_view otlp)> visit) const {
  return ReadLogChunks(db_, trace, visit);
}

absl::Status RocksTraceStore::ScanTraces(
    const TraceScan& scan, absl::FunctionRef<bool(const TracePosition& entry)> visit) const {
  const std::optional<uint32_t> number = db_.FindNumber(scan.experiment);
  if (!number.has_value()) return absl::OkStatus();
  return ScanPositions(db_,
                       {.prefix = keys::TimePrefix(*number),
                        .after = scan.after,
                        .newest_first = scan.newest_first,
                        .horizon_ms = db_.horizons().Of(*number)},
                       visit);
}

absl::StatusOr<TracesOfIndex> RocksTraceStore::TracesWithAssessment(const AssessmentIndex& index,
                                                                    size_t limit) const {
  const std::string prefix = keys::ByNamePrefix(index);
  TracesOfIndex result;
  absl::Status broken;
  auto scanned = rocks::Scan(
      db_.db(), keys::kIndex, {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit},
      [&](std::string_view key, std::string_view value) {
        AssessmentIndex found;
        TraceId trace;
        std::string resource;
        keys::Lifetime lifetime;
        broken = keys::DecodeByName(key, &found, &trace, &resource);
        if (broken.ok()) broken = keys::DecodeLifetimeValue(value, &lifetime);
        if (!broken.ok()) return rocks::ScanStep::Stop();
        if (db_.horizons().IsGone(lifetime)) return rocks::ScanStep::Next();
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
  auto scanned =
      rocks::Scan(db_.db(), keys::kAssessments,
                  {.begin = prefix,
                   .end = rocks::PrefixEnd(prefix),
                   .limit = static_cast<int64_t>(limit),
                   .one_prefix = true},
                  [&](std::string_view, std::string_view value) {
                    storage::v1::AssessmentDigestRecord record;
                    if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                      broken = Unreadable("assessment");
                      return rocks::ScanStep::Stop();
                    }
                    if (db_.horizons().IsGone({record.experiment_number(), record.bound_ms()})) {
                      return rocks::ScanStep::Next();
                    }
                    if (!digests.emplace_back().ParseFromString(record.digest())) {
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
                         db_.db().Get(keys::kMeta, keys::Applied(feedback_store)));
  storage::v1::AppliedSequenceRecord record;
  if (stored.has_value() && !record.ParseFromString(*stored)) return Unreadable("sequence");
  return record.sequence();
}

absl::StatusOr<std::vector<std::string>> RocksTraceStore::PendingExperiments(size_t limit) const {
  const std::string prefix = keys::PendingPrefix();
  std::vector<std::string> pending;
  absl::Status broken;
  auto scanned = rocks::Scan(
      db_.db(), keys::kMeta,
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
