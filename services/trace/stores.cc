#include "services/trace/stores.h"

#include <utility>

#include "common/clock/clock.h"
#include "common/log/log.h"
#include "common/rocks/backup.h"
#include "common/rocks/disk_space.h"
#include "common/status/status_macros.h"

namespace assay::trace {
namespace {

// Before the store is opened.
absl::Status RestoreIfAsked(const Options& options) {
  if (!options.restore_from.empty()) {
    ASSAY_ASSIGN_OR_RETURN(rocks::BackupSource source,
                           rocks::BackupSource::Parse(options.restore_from));
    ASSAY_ASSIGN_OR_RETURN(rocks::BackupInfo restored,
                           rocks::RestoreBackup(source, options.serving.data_dir));
    log::Info("the store was restored", {{"backup", restored.id},
                                         {"made", restored.create_time},
                                         {"data_dir", options.serving.data_dir}});
  }
  return rocks::CheckNotHalfRestored(options.serving.data_dir);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stores>> Stores::Open(const Options& options, Executor& executor) {
  ASSAY_RETURN_IF_ERROR(RestoreIfAsked(options));
  auto watermark = std::make_unique<DiskWatermark>(
      [path = options.serving.data_dir] { return rocks::FreeDiskBytes(path); },
      WatermarkOptions{.min_free_bytes = options.min_free_disk_bytes});
  ASSAY_ASSIGN_OR_RETURN(
      std::unique_ptr<TraceDb> db,
      TraceDb::Open({.path = options.serving.data_dir,
                     .memory_bytes = options.memory_bytes,
                     .check_writable = [&disk = *watermark] { return disk.CheckWritable(); }},
                    executor, SystemClock()));
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<RocksFeedStore> feed, RocksFeedStore::Open(*db));
  std::unique_ptr<RocksBackupStore> backups;
  if (!options.backup_dir.empty()) {
    ASSAY_ASSIGN_OR_RETURN(backups, RocksBackupStore::Open(options.backup_dir, *db));
  }
  return std::make_unique<Stores>(options, std::move(watermark), std::move(db), std::move(feed),
                                  std::move(backups));
}

Stores::Stores(const Options& options, std::unique_ptr<DiskWatermark> watermark_in,
               std::unique_ptr<TraceDb> db_in, std::unique_ptr<RocksFeedStore> feed_in,
               std::unique_ptr<RocksBackupStore> backups_in)
    : watermark(std::move(watermark_in)),
      db(std::move(db_in)),
      open_sessions(SystemClock().Now(), db->Experiments().empty(), options.trace_idle_window),
      traces(*db, {.idle_window = options.trace_idle_window, .open_sessions = &open_sessions}),
      logs(*db),
      packer(*db, [this] { return traces.hasty_bytes(); },
             {.bytes_per_second = options.pack_bytes_per_second}),
      lifecycle(*db),
      backups(std::move(backups_in)),
      index(*db),
      completions(*db),
      feed(std::move(feed_in)) {}

void Stores::Start(Executor& executor, TimerQueue& timers) {
  watermark->Start(executor, timers);
  packer.Start();
}

void Stores::Stop() {
  packer.Stop();
  lifecycle.StopReclaiming();
  watermark->Stop();
}

}  // namespace assay::trace
