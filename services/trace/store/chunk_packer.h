// Packs chunks again that were packed in haste: requests that come while many others are on their
// way, or fast one after another, cost little then, and take no more room than others in the end.
#ifndef ASSAY_SERVICES_TRACE_STORE_CHUNK_PACKER_H_
#define ASSAY_SERVICES_TRACE_STORE_CHUNK_PACKER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/sync/notification.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

struct ChunkPackerOptions {
  // How often the packer looks whether there is something to do and the store is quiet.
  absl::Duration look_every = absl::Seconds(1);
  // The store is quiet if less than this came in haste since the last look.
  int64_t quiet_bytes = int64_t{8} << 20;
  // What the packer takes of the machine at most: bytes of chunks as they are stored; 0: it never
  // packs.
  int64_t bytes_per_second = int64_t{16} << 20;
  // Chunks of a step, which is one commit.
  int64_t step_bytes = int64_t{512} << 10;
  // When all is packed, the room of the chunks as they were is brought back if so large a part of all
  // chunks was packed: that compacts the keys of all, which take about as much.
  uint64_t worthwhile_part = 16;
};

// Each hasty request has left an entry (0x1D) with its sequence and its traces, in the commit of its
// chunks. The packer follows these in the order in which they came, so that whole blob files become
// free. A chunk keeps its key and what it unfolds to; a trace that is deleted meanwhile stays so.
// Start, Stop and Step are not to be called at once; otherwise thread-safe.
class ChunkPacker {
 public:
  // `hasty_bytes`: what came in haste since the store was opened; quick, thread-safe. All outlive
  // the object.
  ChunkPacker(TraceDb& db, std::function<int64_t()> hasty_bytes, ChunkPackerOptions options = {});
  ~ChunkPacker();  // Stop().

  // Packs on a thread of its own, of low priority, whenever the store is quiet. Once; nothing without
  // bytes_per_second.
  void Start();
  // Ends after the step that is under way.
  void Stop();

  // Packs the next chunks, about ChunkPackerOptions::step_bytes of them; the answer is how many
  // bytes were looked at, 0: none is left. Blocks. Errors: the store's; the same chunks are tried
  // again by the next call.
  absl::StatusOr<int64_t> Step();
  // Brings the room back that chunks took before, if it is worth it. Blocks; Stop ends it, with an
  // error.
  absl::Status Reclaim();

 private:
  struct Batch;

  void Run();
  // Packs until nothing is left, or until it is time to look again: then true.
  bool Work();
  bool IsQuiet();
  bool MayFindSome();
  absl::StatusOr<Batch> NextBatch() const;
  absl::Status PackTrace(const TraceId& trace, uint64_t sequence, Batch& batch) const;

  TraceDb& db_;
  const std::function<int64_t()> hasty_bytes_;
  const ChunkPackerOptions options_;
  const absl::Duration pause_;  // After a step.
  int64_t hasty_before_ = 0;
  int empty_looks_ = 0;  // Since something was found, or came in haste.
  bool failing_ = false;
  uint64_t from_ = 0;          // No entry below, but for those that were committed late.
  uint64_t packed_bytes_ = 0;  // Since room was brought back.
  Notification stop_;
  std::atomic<bool> stop_reclaiming_{false};
  std::thread thread_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_CHUNK_PACKER_H_
