// Everything of the trace service that is on disk.
#ifndef ASSAY_SERVICES_TRACE_STORES_H_
#define ASSAY_SERVICES_TRACE_STORES_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "services/trace/core/completion/open_sessions.h"
#include "services/trace/core/lifecycle/disk_watermark.h"
#include "services/trace/options.h"
#include "services/trace/store/backup_store.h"
#include "services/trace/store/chunk_packer.h"
#include "services/trace/store/completion_store.h"
#include "services/trace/store/feed_store.h"
#include "services/trace/store/index_store.h"
#include "services/trace/store/lifecycle_store.h"
#include "services/trace/store/log_store.h"
#include "services/trace/store/rocks_trace_store.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

// One database, and a store on it for each subject; what watches over its disk, and what packs it.
struct Stores {
  // Restores first, if that is asked for. `executor` outlives the stores.
  static absl::StatusOr<std::unique_ptr<Stores>> Open(const Options& options, Executor& executor);

  Stores(const Options& options, std::unique_ptr<DiskWatermark> watermark,
         std::unique_ptr<TraceDb> db, std::unique_ptr<RocksFeedStore> feed,
         std::unique_ptr<RocksBackupStore> backups);

  // What runs by itself, after the store was migrated. `timers` outlive Stop.
  void Start(Executor& executor, TimerQueue& timers);
  // Ends that, and reclaiming that is under way; what else runs on the stores may still read and write.
  void Stop();

  // In order of lifetime: what stands below uses what stands above.
  const std::unique_ptr<DiskWatermark> watermark;  // Asked by db.
  const std::unique_ptr<TraceDb> db;
  OpenSessions open_sessions;
  RocksTraceStore traces;
  RocksLogStore logs;
  ChunkPacker packer;
  RocksLifecycleStore lifecycle;
  const std::unique_ptr<RocksBackupStore> backups;  // Null without a directory for backups.
  RocksTraceIndex index;
  RocksCompletionStore completions;
  const std::unique_ptr<RocksFeedStore> feed;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORES_H_
