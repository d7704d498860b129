#include "services/trace/store/chunk_packer.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "assay/storage/v1/trace_records.pb.h"
#include "common/log/log.h"
#include "common/rocks/blob_space.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/rocks/status.h"
#include "common/status/status_macros.h"
#include "services/trace/store/chunk_codec.h"
#include "services/trace/store/trace_keys.h"
#include "services/trace/store/trace_state.h"
#include "services/trace/store/trace_write.h"

namespace assay::trace {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// Only of the calling thread, as Linux has it: others go first where cores are scarce.
void LowerPriority() {
  constexpr int kNice = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
}

}  // namespace

// What one step is about to write.
struct ChunkPacker::Batch {
  TraceWrite write;
  int64_t entries = 0;
  uint64_t last = 0;          // Sequence of the last entry.
  int64_t bytes = 0;          // Of chunks that were looked at.
  uint64_t packed_bytes = 0;  // Of those that take less room now.
};

ChunkPacker::ChunkPacker(TraceDb& db, std::function<int64_t()> hasty_bytes,
                         ChunkPackerOptions options)
    : db_(db),
      hasty_bytes_(std::move(hasty_bytes)),
      options_(options),
      pause_(options.bytes_per_second > 0
                 ? absl::Seconds(1) * options.step_bytes / options.bytes_per_second
                 : absl::InfiniteDuration()) {}

ChunkPacker::~ChunkPacker() { Stop(); }

void ChunkPacker::Start() {
  if (options_.bytes_per_second <= 0) return;
  thread_ = std::thread([this] { Run(); });
}

void ChunkPacker::Stop() {
  if (!thread_.joinable()) return;
  stop_.Notify();
  stop_reclaiming_ = true;
  thread_.join();
}

void ChunkPacker::Run() {
  LowerPriority();
  bool more = false;
  while (!stop_.WaitFor(more ? pause_ : options_.look_every))
    more = IsQuiet() && MayFindSome() && Work();
}

bool ChunkPacker::IsQuiet() {
  const int64_t hasty = hasty_bytes_();
  const int64_t came = hasty - std::exchange(hasty_before_, hasty);
  if (came > 0) empty_looks_ = 0;
  return came <= options_.quiet_bytes;
}

// A look walks over what is left of all entries that were worked off: where nothing came in haste
// since some looks found none, one a minute is enough.
bool ChunkPacker::MayFindSome() {
  constexpr int kLooks = 3;  // What came before a look may be committed after it.
  constexpr int kSeldom = 60;
  return empty_looks_ < kLooks || ++empty_looks_ % kSeldom == 0;
}

bool ChunkPacker::Work() {
  const absl::Time until = absl::Now() + options_.look_every;
  while (true) {
    const absl::StatusOr<int64_t> bytes = Step();
    if (!bytes.ok()) {
      if (!std::exchange(failing_, true)) {
        log::Warning("chunks cannot be packed yet", {{"error", bytes.status()}});
      }
      return false;
    }
    failing_ = false;
    if (*bytes == 0) break;
    empty_looks_ = 0;
    if (stop_.WaitFor(pause_)) return false;
    if (absl::Now() >= until) return true;
  }
  ++empty_looks_;
  if (const absl::Status status = Reclaim(); !status.ok() && !stop_reclaiming_) {
    log::Warning("the room of packed chunks could not be brought back", {{"error", status}});
  }
  return false;
}

absl::StatusOr<int64_t> ChunkPacker::Step() {
  ASSAY_ASSIGN_OR_RETURN(Batch batch, NextBatch());
  // What was worked off lately is not walked over each time; what was committed late is found then.
  if (batch.entries == 0 && std::exchange(from_, 0) > 0) {
    ASSAY_ASSIGN_OR_RETURN(batch, NextBatch());
  }
  if (batch.entries == 0) return 0;
  ASSAY_RETURN_IF_ERROR(db_.CheckWritable());
  Notification done;
  absl::Status committed;
  db_.Commit(std::move(batch.write), [&](absl::Status status) {
    committed = std::move(status);
    done.Notify();
  });
  done.Wait();
  // A trace of the batch was deleted meanwhile: the next step sees it.
  if (!committed.ok() && !Collided(committed)) return committed;
  if (committed.ok()) {
    packed_bytes_ += batch.packed_bytes;
    from_ = batch.last + 1;
  }
  return std::max<int64_t>(batch.bytes, 1);
}

absl::StatusOr<ChunkPacker::Batch> ChunkPacker::NextBatch() const {
  const std::string prefix = keys::HastyPrefix();
  Batch batch;
  absl::Status broken;
  auto scanned =
      rocks::Scan(db_.db(), keys::kMeta,
                  {.begin = keys::Hasty(from_), .end = rocks::PrefixEnd(prefix), .limit = kNoLimit},
                  [&](std::string_view key, std::string_view value) {
                    uint64_t sequence = 0;
                    std::vector<TraceId> traces;
                    broken = keys::DecodeHasty(key, value, &sequence, &traces);
                    for (size_t i = 0; broken.ok() && i < traces.size(); ++i) {
                      broken = PackTrace(traces[i], sequence, batch);
                    }
                    if (!broken.ok()) return rocks::ScanStep::Stop();
                    batch.write.batch.Delete(db_.family(keys::kMeta), rocksdb::Slice(key));
                    ++batch.entries;
                    batch.last = sequence;
                    return batch.bytes < options_.step_bytes ? rocks::ScanStep::Next()
                                                             : rocks::ScanStep::Stop();
                  });
  ASSAY_RETURN_IF_ERROR(scanned.status());
  ASSAY_RETURN_IF_ERROR(broken);
  return batch;
}

absl::Status ChunkPacker::PackTrace(const TraceId& trace, uint64_t sequence, Batch& batch) const {
  const std::string binding_key = keys::Binding(trace);
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored,
                         db_.db().Get(keys::kTraces, binding_key));
  storage::v1::TraceBindingRecord binding;
  if (!stored.has_value()) return absl::OkStatus();
  if (!binding.ParseFromString(*stored)) return absl::DataLossError("a binding cannot be read");
  if (StateOfBinding(binding, db_.horizons(), db_.NowMs()) != TraceState::kLive) {
    return absl::OkStatus();
  }
  const std::string prefix = keys::ChunkPrefix(trace, sequence);
  absl::Status broken;
  auto scanned = rocks::Scan(
      db_.db(), keys::kChunks,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = 1, .one_prefix = true},
      [&](std::string_view key, std::string_view record) {
        batch.bytes += static_cast<int64_t>(record.size());
        absl::StatusOr<std::optional<std::string>> packed = PackAgain(record);
        broken = packed.status();
        if (!broken.ok() || !packed->has_value()) return rocks::ScanStep::Stop();
        batch.write.batch.Put(db_.family(keys::kChunks), rocksdb::Slice(key), **packed);
        // Whoever deletes the trace changes its binding.
        batch.write.checks.push_back(StillHolds(keys::kTraces, binding_key, std::move(stored)));
        batch.packed_bytes += record.size();
        return rocks::ScanStep::Stop();
      });
  ASSAY_RETURN_IF_ERROR(scanned.status());
  return broken;
}

absl::Status ChunkPacker::Reclaim() {
  rocksdb::DB& db = db_.db().raw();
  rocksdb::ColumnFamilyHandle* chunks = db_.family(keys::kChunks);
  uint64_t chunk_bytes = 0;
  db.GetIntProperty(chunks, rocksdb::DB::Properties::kLiveBlobFileSize, &chunk_bytes);
  if (packed_bytes_ <= chunk_bytes / options_.worthwhile_part) return absl::OkStatus();
  packed_bytes_ = 0;
  ASSAY_RETURN_IF_ERROR(
      rocks::FromRocks(db.Flush(rocksdb::FlushOptions(), chunks), "flush packed chunks"));
  return rocks::ReclaimBlobSpace(db_.db(), keys::kChunks, &stop_reclaiming_);
}

}  // namespace assay::trace
