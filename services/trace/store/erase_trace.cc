#include "services/trace/store/erase_trace.h"

#include <limits>
#include <utility>
#include <vector>

#include "assay/trace/v1/trace.pb.h"
#include "common/rocks/int64_add.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/core/trace_facts.h"
#include "services/trace/store/index_entries.h"
#include "services/trace/store/log_keys.h"
#include "services/trace/store/trace_state.h"

namespace assay::trace {
namespace {

using Facts = storage::v1::TraceFactsRecord;

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr uint64_t kHourMs = uint64_t{60} * 60 * 1000;
// The chunks of a trace beyond this are deleted as a range, without being read.
constexpr int64_t kMaxScannedBytes = 16 << 20;

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError("a stored " + std::string(what) + " cannot be read");
}

absl::Status DeletePrefix(TraceDb& db, keys::Family family, const std::string& prefix,
                          TraceWrite& write) {
  return rocks::Scan(db.db(), family,
                     {.begin = prefix,
                      .end = rocks::PrefixEnd(prefix),
                      .limit = kNoLimit,
                      .fill_cache = false},
                     [&](std::string_view key, std::string_view) {
                       write.batch.Delete(db.family(family), rocksdb::Slice(key));
                       return rocks::ScanStep::Next();
                     })
      .status();
}

absl::Status EraseSpans(TraceDb& db, const TraceId& trace, const Facts& facts, TraceWrite& write) {
  const std::string chunks = keys::ChunkPrefix(trace);
  const std::string directory = keys::DirectoryPrefix(trace);
  ASSAY_RETURN_IF_ERROR(DeletePrefix(db, keys::kChunks, keys::LogChunkPrefix(trace), write));
  if (facts.span_bytes() > kMaxScannedBytes) {
    write.batch.DeleteRange(db.family(keys::kChunks), chunks, rocks::PrefixEnd(chunks));
    write.batch.DeleteRange(db.family(keys::kDirectory), directory, rocks::PrefixEnd(directory));
    return absl::OkStatus();
  }
  ASSAY_RETURN_IF_ERROR(DeletePrefix(db, keys::kChunks, chunks, write));
  return DeletePrefix(db, keys::kDirectory, directory, write);
}

// What a trace is found by stands at its present start, and nowhere else.
void EraseIndex(TraceDb& db, const TraceId& trace, const storage::v1::TraceBindingRecord& binding,
                const Facts& facts, TraceWrite& write) {
  if (!HasSpans(facts)) return;
  const keys::Lifetime lifetime{binding.experiment_number(), binding.bound_ms()};
  EraseFromIndex(db, PlaceOf(trace, lifetime, facts), facts, binding.evaluation(), write.batch);
}

absl::Status EraseAssessments(TraceDb& db, const TraceId& trace, TraceWrite& write) {
  const std::string prefix = keys::AssessmentPrefix(trace);
  absl::Status broken;
  auto scanned = rocks::Scan(
      db.db(), keys::kAssessments,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit, .fill_cache = false},
      [&](std::string_view key, std::string_view value) {
        storage::v1::AssessmentDigestRecord record;
        v1::AssessmentDigest digest;
        if (!record.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
            !digest.ParseFromString(record.digest())) {
          broken = Unreadable("assessment");
          return rocks::ScanStep::Stop();
        }
        write.batch.Delete(db.family(keys::kAssessments), rocksdb::Slice(key));
        write.batch.Delete(
            db.family(keys::kIndex),
            keys::ByName({record.experiment(), digest.expectation(), digest.assessment_name()},
                         trace, digest.assessment()));
        return rocks::ScanStep::Next();
      });
  return scanned.ok() ? broken : scanned.status();
}

void Tell(TraceDb& db, const TraceId& trace, const std::string& experiment, TraceWrite& write) {
  storage::v1::FeedRecord& event = write.feed.emplace_back();
  event.set_schema_version(1);
  event.set_experiment(experiment);
  event.set_time_ms(db.NowMs());
  event.set_trace_deleted(std::string(trace.bytes()));
}

}  // namespace

absl::StatusOr<std::optional<int64_t>> EraseTrace(TraceDb& db, const TraceId& trace,
                                                  const std::string& experiment,
                                                  TraceWrite& write) {
  const std::string binding_key = keys::Binding(trace);
  const std::string facts_key = keys::Facts(trace);
  ASSAY_ASSIGN_OR_RETURN(auto stored, db.db().MultiGet(keys::kTraces, {binding_key, facts_key}));
  if (!stored[0].has_value()) return std::nullopt;
  storage::v1::TraceBindingRecord binding;
  Facts facts;
  if (!binding.ParseFromString(*stored[0])) return Unreadable("binding");
  if (stored[1].has_value() && !facts.ParseFromString(*stored[1])) return Unreadable("trace");
  if (StateOfBinding(binding, db.horizons(), db.NowMs()) != TraceState::kLive ||
      binding.experiment() != experiment) {
    return std::nullopt;
  }
  write.checks.push_back(StillHolds(keys::kTraces, binding_key, std::move(stored[0])));
  write.checks.push_back(FactsUnchanged(trace, facts));
  db.NoteChanged(trace);
  binding.set_deleted_ms(db.NowMs());
  rocksdb::ColumnFamilyHandle* traces = db.family(keys::kTraces);
  write.batch.Put(traces, binding_key, binding.SerializeAsString());
  write.batch.Delete(traces, facts_key);
  ASSAY_RETURN_IF_ERROR(EraseSpans(db, trace, facts, write));
  EraseIndex(db, trace, binding, facts, write);
  ASSAY_RETURN_IF_ERROR(EraseAssessments(db, trace, write));
  if (facts.span_bytes() > 0) {
    write.batch.Merge(db.family(keys::kUsage),
                      keys::Usage(binding.experiment_number(), binding.bound_ms() / kHourMs),
                      rocks::EncodeFixedInt64(-facts.span_bytes()));
  }
  Tell(db, trace, experiment, write);
  return facts.span_bytes();
}

rocks::Check FactsUnchanged(const TraceId& trace, const Facts& facts) {
  std::vector<std::pair<std::string, std::string>> tags(facts.tags().begin(), facts.tags().end());
  return {
      .family = keys::kTraces,
      .key = keys::Facts(trace),
      .test = [sequence = facts.last_sequence(), start = facts.start_unix_nano(),
               has_spans = HasSpans(facts),
               tags = std::move(tags)](std::optional<std::string_view> current) -> absl::Status {
        // Facts are merged: their bytes may differ where they do not.
        Facts now;
        if (current.has_value() &&
            !now.ParseFromArray(current->data(), static_cast<int>(current->size()))) {
          return Unreadable("trace");
        }
        bool same = now.last_sequence() == sequence && now.start_unix_nano() == start &&
                    HasSpans(now) == has_spans && now.tags_size() == static_cast<int>(tags.size());
        for (const auto& [key, value] : tags) {
          const auto found = now.tags().find(key);
          same = same && found != now.tags().end() && found->second == value;
        }
        if (same) return absl::OkStatus();
        return MakeError(absl::StatusCode::kAborted, kCollision, "the trace has changed");
      }};
}

std::string TagField(const std::string& key) { return std::string(kTermTags) + key; }

}  // namespace assay::trace
