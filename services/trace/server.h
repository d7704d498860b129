// The trace service, put together.
#ifndef ASSAY_SERVICES_TRACE_SERVER_H_
#define ASSAY_SERVICES_TRACE_SERVER_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/rpc/metrics.h"
#include "common/rpc/process.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "services/trace/clients/feedback_assessments.h"
#include "services/trace/clients/registry_experiments.h"
#include "services/trace/core/completion/completion.h"
#include "services/trace/core/experiment_registrar.h"
#include "services/trace/core/ingestor.h"
#include "services/trace/core/lifecycle/store_care.h"
#include "services/trace/core/lifecycle/trace_lifecycle.h"
#include "services/trace/core/logs/feedback_pusher.h"
#include "services/trace/core/logs/log_ingestor.h"
#include "services/trace/core/meaning/price_table.h"
#include "services/trace/core/projection.h"
#include "services/trace/core/trace_queries.h"
#include "services/trace/core/transfer/transfers.h"
#include "services/trace/options.h"
#include "services/trace/rpc/admin_service.h"
#include "services/trace/rpc/otlp_logs_service.h"
#include "services/trace/rpc/otlp_service.h"
#include "services/trace/rpc/session_service.h"
#include "services/trace/rpc/trace_service.h"
#include "services/trace/rpc/transfer_service.h"
#include "services/trace/store/indexed_since.h"
#include "services/trace/stores.h"

namespace assay::trace {

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
              std::unique_ptr<Stores> stores, PriceTable prices);
  // Before anything else uses the store.
  absl::Status Migrate();
  std::vector<std::unique_ptr<rpc::Metrics::Registration>> Observe(rpc::Metrics& metrics);
  absl::Status Listen(const Options& options);
  void CreateExperiments();
  void ConnectFeedback(const std::string& address);

  // In order of lifetime: what stands below uses what stands above.
  const PriceTable prices_;
  const std::vector<std::string> attribute_names_;
  const IndexedAttributes indexed_attributes_;
  IndexedSince indexed_since_;            // Known before the service listens.
  std::unique_ptr<ThreadPool> executor_;  // Takes exports, and does what nobody waits for.
  // Calls of those who wait for an answer: they do not stand in line behind exports.
  std::unique_ptr<ThreadPool> readers_;
  std::unique_ptr<Stores> stores_;
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
  std::vector<std::unique_ptr<rpc::Metrics::Registration>> gauges_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<rpc::Server> otlp_server_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_SERVER_H_
