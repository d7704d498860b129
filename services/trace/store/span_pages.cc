// Where the spans of a trace are: what pages and streams of large traces are found by.
#include <limits>
#include <string>

#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/core/otlp_wire_reader.h"
#include "services/trace/store/rocks_trace_store.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {
namespace {

using Visit = absl::FunctionRef<bool(uint64_t sequence, const ChunkDirectory& directory)>;

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// Calls `visit` with the directories that are stored; the answer is whether there are any.
absl::StatusOr<bool> ReadStored(const TraceDb& db, const TraceId& trace, uint64_t first,
                                Visit visit) {
  const std::string prefix = keys::DirectoryPrefix(trace);
  bool any = false;
  absl::Status broken;
  ChunkDirectory directory;
  auto scanned = rocks::Scan(
      db.db(), keys::kDirectory,
      {.begin = keys::DirectoryPrefix(trace, first),
       .end = rocks::PrefixEnd(prefix),
       .limit = kNoLimit,
       .one_prefix = true},
      [&](std::string_view key, std::string_view value) {
        TraceId found;
        uint64_t sequence = 0;
        keys::Lifetime lifetime;
        broken = keys::DecodeDirectory(key, &found, &sequence, &lifetime);
        if (broken.ok() &&
            (!directory.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
             directory.span_ids().size() !=
                 SpanId::kSize * static_cast<size_t>(directory.start_unix_nano_size()))) {
          broken = absl::DataLossError("a stored directory of spans cannot be read");
        }
        if (!broken.ok()) return rocks::ScanStep::Stop();
        any = true;
        // The id was bound before, and that trace is gone.
        if (db.horizons().IsGone(lifetime)) return rocks::ScanStep::Next();
        return visit(sequence, directory) ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
      });
  ASSAY_RETURN_IF_ERROR(scanned.status());
  ASSAY_RETURN_IF_ERROR(broken);
  return any;
}

absl::StatusOr<bool> HasDirectories(const TraceDb& db, const TraceId& trace) {
  return ReadStored(db, trace, 0, [](uint64_t, const ChunkDirectory&) { return false; });
}

}  // namespace

absl::Status RocksTraceStore::ReadDirectories(const TraceId& trace, uint64_t first,
                                              Visit visit) const {
  ASSAY_ASSIGN_OR_RETURN(bool any, ReadStored(db_, trace, first, visit));
  if (!any && first > 0) {
    ASSAY_ASSIGN_OR_RETURN(any, HasDirectories(db_, trace));
  }
  if (any) return absl::OkStatus();
  absl::Status broken;
  ChunkDirectory directory;
  ASSAY_RETURN_IF_ERROR(ReadChunks(trace, [&](uint64_t sequence, std::string_view otlp) {
    if (sequence < first) return true;
    absl::StatusOr<OtlpBatch> batch = ReadOtlp(otlp, std::numeric_limits<size_t>::max());
    broken = batch.status();
    if (!broken.ok()) return false;
    directory.Clear();
    for (const SpanView& span : batch->spans) {
      directory.mutable_span_ids()->append(span.span_id.bytes());
      directory.add_start_unix_nano(span.start_unix_nano);
    }
    return visit(sequence, directory);
  }));
  return broken;
}

}  // namespace assay::trace
