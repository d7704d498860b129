#include "services/trace/store/log_store.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/store/chunk_codec.h"
#include "services/trace/store/log_keys.h"
#include "services/trace/store/trace_keys.h"
#include "services/trace/store/trace_state.h"

namespace assay::trace {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError("a stored " + std::string(what) + " cannot be read");
}

}  // namespace

void RocksLogStore::Append(std::vector<LogChunk> chunks, std::vector<PendingFeedback> results,
                           Done<AppendedLogs> done) {
  TraceWrite write;
  AppendedLogs appended;
  absl::Status prepared = db_.CheckWritable();
  if (prepared.ok()) prepared = PrepareChunks(chunks, write, &appended.deleted_traces);
  if (!prepared.ok()) {
    return db_.executor().Run(
        [prepared, done = std::move(done)]() mutable { std::move(done)(prepared); });
  }
  for (const PendingFeedback& result : results) {
    appended.places.push_back(db_.NextSequence());
    write.batch.Put(db_.family(keys::kOutbox), keys::Outbox(appended.places.back()),
                    result.SerializeAsString());
  }
  db_.Commit(std::move(write),
             [appended = std::move(appended), done = std::move(done)](absl::Status status) mutable {
               if (!status.ok()) return std::move(done)(std::move(status));
               std::move(done)(std::move(appended));
             });
}

absl::Status RocksLogStore::PrepareChunks(const std::vector<LogChunk>& chunks, TraceWrite& write,
                                          std::vector<TraceId>* deleted) const {
  if (chunks.empty()) return absl::OkStatus();
  std::vector<std::string> bindings;
  bindings.reserve(chunks.size());
  for (const LogChunk& chunk : chunks) bindings.push_back(keys::Binding(chunk.trace));
  ASSAY_ASSIGN_OR_RETURN(auto stored, db_.db().MultiGet(keys::kTraces, bindings));
  const uint64_t sequence = db_.NextSequence();
  for (size_t i = 0; i < chunks.size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(const std::optional<keys::Lifetime> lifetime,
                           LifetimeFor(chunks[i], stored[i], write));
    if (!lifetime.has_value()) {
      deleted->push_back(chunks[i].trace);
      continue;
    }
    write.batch.Put(db_.family(keys::kChunks), keys::LogChunk(chunks[i].trace, sequence, *lifetime),
                    EncodeChunk(chunks[i].otlp, ChunkCodec::kZstd));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<keys::Lifetime>> RocksLogStore::LifetimeFor(
    const LogChunk& chunk, const std::optional<std::string>& binding, TraceWrite& write) const {
  if (binding.has_value()) {
    storage::v1::TraceBindingRecord record;
    if (!record.ParseFromString(*binding)) return Unreadable("binding");
    switch (StateOfBinding(record, db_.horizons(), db_.NowMs())) {
      case TraceState::kLive:
        return keys::Lifetime{record.experiment_number(), record.bound_ms()};
      case TraceState::kDeleted:
        return std::nullopt;
      case TraceState::kFree:
        break;
    }
  }
  keys::Lifetime lifetime;
  lifetime.number = db_.NumberFor(chunk.experiment, write);
  lifetime.bound_ms = db_.BoundMsNow(lifetime.number);
  return lifetime;
}

absl::StatusOr<std::vector<uint64_t>> RocksLogStore::PendingPlaces() const {
  const std::string prefix = keys::OutboxPrefix();
  std::vector<uint64_t> places;
  absl::Status broken;
  auto scanned =
      rocks::Scan(db_.db(), keys::kOutbox,
                  {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit},
                  [&](std::string_view key, std::string_view) {
                    broken = keys::DecodeOutbox(key, &places.emplace_back());
                    return broken.ok() ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
                  });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return places;
}

absl::StatusOr<std::vector<std::optional<PendingFeedback>>> RocksLogStore::GetPending(
    absl::Span<const uint64_t> places) const {
  std::vector<std::string> wanted;
  wanted.reserve(places.size());
  for (const uint64_t place : places) wanted.push_back(keys::Outbox(place));
  ASSAY_ASSIGN_OR_RETURN(auto values, db_.db().MultiGet(keys::kOutbox, wanted));
  std::vector<std::optional<PendingFeedback>> pending(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].has_value()) continue;
    if (!pending[i].emplace().ParseFromString(*values[i])) return Unreadable("evaluation result");
  }
  return pending;
}

void RocksLogStore::Settle(std::vector<uint64_t> places, DoneStatus done) {
  TraceWrite write;
  for (const uint64_t place : places) {
    write.batch.Delete(db_.family(keys::kOutbox), keys::Outbox(place));
  }
  db_.Commit(std::move(write), std::move(done));
}

absl::Status ReadLogChunks(const TraceDb& db, const TraceId& trace,
                           absl::FunctionRef<bool(std::string_view otlp)> visit) {
  const std::string prefix = keys::LogChunkPrefix(trace);
  absl::Status broken;
  std::string scratch;
  auto scanned = rocks::Scan(
      db.db(), keys::kChunks,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit, .one_prefix = true},
      [&](std::string_view key, std::string_view value) {
        TraceId found;
        uint64_t sequence = 0;
        keys::Lifetime lifetime;
        broken = keys::DecodeLogChunk(key, &found, &sequence, &lifetime);
        if (!broken.ok()) return rocks::ScanStep::Stop();
        if (db.horizons().IsGone(lifetime)) return rocks::ScanStep::Next();
        absl::StatusOr<std::string_view> otlp = DecodeChunk(value, &scratch);
        broken = otlp.status();
        if (!broken.ok()) return rocks::ScanStep::Stop();
        return visit(*otlp) ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
      });
  return scanned.ok() ? broken : scanned.status();
}

}  // namespace assay::trace
