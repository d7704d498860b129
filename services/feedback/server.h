// The feedback service, put together.
#ifndef ASSAY_SERVICES_FEEDBACK_SERVER_H_
#define ASSAY_SERVICES_FEEDBACK_SERVER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/timer.h"
#include "common/config/flags.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "common/rpc/process.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "services/feedback/clients/grpc_trace_port.h"
#include "services/feedback/core/assessment_search.h"
#include "services/feedback/core/assessments.h"
#include "services/feedback/core/outbox_pusher.h"
#include "services/feedback/rpc/feedback_service.h"
#include "services/feedback/store/kv_feedback_store.h"

namespace assay::feedback {

inline constexpr std::string_view kDefaultListenAddress = "127.0.0.1:7404";

struct Options {
  rpc::ServiceFlags serving;
  std::string trace_address = "127.0.0.1:7402";
  int storage_threads = 4;
  GrpcTraceOptions trace = {};  // its peer is set from trace_address
  OutboxPusherOptions outbox = {};
};

// `options` outlives the set.
void AddFlags(Options* options, config::FlagSet& flags);

class FeedbackServer final : public rpc::RunningService {
 public:
  // Opens the store, listens, and goes on with what the outbox holds. `metrics` outlives the
  // server.
  static absl::StatusOr<std::unique_ptr<FeedbackServer>> Start(Options options,
                                                               rpc::Metrics* metrics);
  ~FeedbackServer() override;

  std::vector<std::pair<std::string, std::string>> Endpoints() const override;
  void Drain() override;
  const std::string& address() const { return server_->address(); }

 private:
  // What the parts below stand on.
  struct Ground {
    std::unique_ptr<ThreadPool> executor;
    std::unique_ptr<TimerQueue> timers;
    std::unique_ptr<kv::Store> kv_store;
    std::unique_ptr<KvFeedbackStore> store;
    std::shared_ptr<grpc::Channel> trace_channel;
  };

  FeedbackServer(const Options& options, rpc::Metrics* metrics, Ground ground);

  // In order of lifetime: what stands below uses what stands above.
  Ground ground_;
  GrpcTracePort traces_;
  GrpcProjectionPort projection_;
  Assessments assessments_;
  AssessmentSearch search_;
  OutboxPusher pusher_;
  rpc::Runtime runtime_;
  FeedbackService service_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_SERVER_H_
