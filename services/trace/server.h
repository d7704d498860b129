// The trace service, put together.
#ifndef ASSAY_SERVICES_TRACE_SERVER_H_
#define ASSAY_SERVICES_TRACE_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/timer.h"
#include "common/config/flags.h"
#include "common/exec/executor.h"
#include "common/rpc/process.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "services/trace/clients/feedback_assessments.h"
#include "services/trace/clients/registry_experiments.h"
#include "services/trace/core/completion/completion.h"
#include "services/trace/core/completion/open_sessions.h"
#include "services/trace/core/experiment_registrar.h"
#include "services/trace/core/ingestor.h"
#include "services/trace/core/lifecycle/disk_watermark.h"
#include "services/trace/core/lifecycle/store_care.h"
#include "services/trace/core/lifecycle/trace_lifecycle.h"
#include "services/trace/core/logs/feedback_pusher.h"
#include "services/trace/core/logs/log_ingestor.h"
#include "services/trace/core/meaning/price_table.h"
#include "services/trace/core/projection.h"
#include "services/trace/core/trace_queries.h"
#include "services/trace/core/transfer/transfers.h"
#include "services/trace/rpc/admin_service.h"
#include "services/trace/rpc/otlp_logs_service.h"
#include "services/trace/rpc/otlp_service.h"
#include "services/trace/rpc/session_service.h"
#include "services/trace/rpc/trace_service.h"
#include "services/trace/rpc/transfer_service.h"
#include "services/trace/store/backup_store.h"
#include "services/trace/store/chunk_packer.h"
#include "services/trace/store/completion_store.h"
#include "services/trace/store/feed_store.h"
#include "services/trace/store/index_store.h"
#include "services/trace/store/indexed_since.h"
#include "services/trace/store/lifecycle_store.h"
#include "services/trace/store/log_store.h"
#include "services/trace/store/rocks_trace_store.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

inline constexpr std::string_view kDefaultListenAddress = "127.0.0.1:7402";
inline constexpr std::string_view kDefaultOtlpAddress = "127.0.0.1:4317";
inline constexpr std::string_view kDefaultRegistryAddress = "127.0.0.1:7401";
inline constexpr std::string_view kDefaultFeedbackAddress = "127.0.0.1:7404";

struct Options {
  rpc::ServiceFlags serving;
  std::string otlp_listen_address = std::string(kDefaultOtlpAddress);
  std::string registry_address = std::string(kDefaultRegistryAddress);
  // Empty: OnPeers tells; until then evaluation results wait.
  std::string feedback_address = std::string(kDefaultFeedbackAddress);
  absl::Duration evaluation_patience = absl::Hours(1);
  bool create_experiments = true;
  int64_t otlp_max_body_bytes = kDefaultMaxBodyBytes;
  int64_t otlp_max_bytes_in_flight = int64_t{128} << 20;
  int64_t search_max_scanned = 10'000;
  int64_t search_max_span_bytes = int64_t{256} << 20;
  absl::Duration search_time_budget = absl::Seconds(2);
  absl::Duration aggregate_time_budget = absl::Seconds(10);
  int storage_threads = 4;
  absl::Duration trace_idle_window = kTraceIdleWindow;
  absl::Duration session_idle_window = kSessionIdleWindow;
  absl::Duration feed_retention = kFeedRetention;
  int64_t max_watches = 256;
  int64_t max_trace_streams = kMaxTraceStreams;
  absl::Duration retention_max_age = absl::ZeroDuration();  // Zero: traces stay.
  int64_t retention_max_bytes = 0;                          // 0: no bound.
  std::vector<std::string> indexed_attributes;  // Keys, also several in one, with commas between.
  int64_t memory_bytes = kDefaultMemoryBytes;
  int64_t pack_bytes_per_second = int64_t{16} << 20;
  int64_t min_free_disk_bytes = int64_t{1} << 30;  // 0: writes are never refused.
  std::string backup_dir;                          // Empty: no backups.
  std::string restore_from;                        // Empty: nothing is restored.
  std::string price_table;                         // A file; empty for the built-in prices.
};

// Adds the service's flags, --registry_address among them unless the process has it already.
// `options` outlives the set.
void AddFlags(Options* options, config::FlagSet& flags);

// Two ports: the service's own, and OTLP's.
class TraceServer final : public rpc::RunningService {
 public:
  // Opens the store and listens. `metrics` outlives the server.
  static absl::StatusOr<std::unique_ptr<TraceServer>> Start(const Options& options,
                                                            rpc::Metrics* metrics);
  ~TraceServer() override;

  std::vector<std::pair<std::string, std::string>> Endpoints() const override;
  void OnPeers(const std::map<std::string, std::string>& addresses) override;
  void Drain() override;
  const std::string& address() const { return server_->address(); }
  const std::string& otlp_address() const { return otlp_server_->address(); }

 private:
  TraceServer(const Options& options, rpc::Metrics* metrics, std::unique_ptr<ThreadPool> executor,
              std::unique_ptr<DiskWatermark> watermark, std::unique_ptr<TraceDb> db,
              std::unique_ptr<RocksFeedStore> feed_store,
              std::unique_ptr<RocksBackupStore> backup_store, PriceTable prices);
  // Before anything else uses the store.
  absl::Status Migrate(const Options& options);
  absl::Status Listen(const Options& options);
  void CreateExperiments();
  void ConnectFeedback(const std::string& address);

  // In order of lifetime: what stands below uses what stands above.
  const PriceTable prices_;
  const IndexedAttributes indexed_attributes_;
  IndexedSince indexed_since_;  // Known before the service listens.
  std::unique_ptr<ThreadPool> executor_;
  std::unique_ptr<DiskWatermark> watermark_;  // Asked by db_.
  std::unique_ptr<TraceDb> db_;
  OpenSessions open_sessions_;
  RocksTraceStore store_;
  RocksLogStore log_store_;
  ChunkPacker packer_;
  RocksLifecycleStore lifecycle_store_;
  std::unique_ptr<RocksBackupStore> backup_store_;  // Null without a directory for backups.
  RocksTraceIndex index_;
  RocksCompletionStore completion_store_;
  std::unique_ptr<RocksFeedStore> feed_store_;
  std::unique_ptr<ThreadTimerQueue> timers_;
  RegistryExperiments registry_;
  ExperimentRegistrar registrar_;
  const bool create_experiments_;
  Projection projection_;
  TraceQueries queries_;
  Ingestor ingestor_;
  FeedbackAssessments feedback_;
  FeedbackPusher feedback_pusher_;
  LogIngestor log_ingestor_;
  Completion completion_;
  TraceLifecycle lifecycle_;
  Transfers transfers_;
  StoreCare care_;
  rpc::Runtime runtime_;
  rpc::Runtime otlp_runtime_;
  TraceService trace_service_;
  SessionService session_service_;
  AdminService admin_service_;
  TransferService transfer_service_;
  ProjectionService projection_service_;
  OtlpService otlp_service_;
  OtlpLogsService otlp_logs_service_;
  std::unique_ptr<rpc::Metrics::Registration> pending_results_gauge_;
  std::unique_ptr<rpc::Metrics::Registration> lag_gauge_;
  std::unique_ptr<rpc::Metrics::Registration> watches_gauge_;
  std::unique_ptr<rpc::Metrics::Registration> free_gauge_;
  std::unique_ptr<rpc::Metrics::Registration> refuses_gauge_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<rpc::Server> otlp_server_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_SERVER_H_
