#include "services/feedback/server.h"

#include "common/clock/clock.h"
#include "common/kv/rocks_store.h"
#include "common/rpc/channel.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::feedback {
namespace {

rpc::RuntimeOptions RuntimeOptionsFor(ThreadPool& executor, rpc::Metrics* metrics) {
  rpc::RuntimeOptions options;
  options.service = "feedback";
  options.executor = &executor;
  options.metrics = metrics;
  options.executor_queue = [&executor] { return static_cast<double>(executor.QueueLength()); };
  return options;
}

}  // namespace

void AddFlags(Options* options, config::FlagSet& flags) {
  rpc::AddServiceFlags(std::string(kDefaultListenAddress), &options->serving, flags);
  flags.Group("Feedback");
  flags.Add("trace_address", &options->trace_address,
            "Address of the trace service: asked whether traces exist, told of assessments.",
            {.example = "trace.assay.svc:7402"});
  flags.Add("feedback_storage_threads", &options->storage_threads,
            "Threads that read and write the feedback store.", {.min = 1, .max = 64});
}

absl::StatusOr<std::unique_ptr<FeedbackServer>> FeedbackServer::Start(Options options,
                                                                      rpc::Metrics* metrics) {
  Ground ground;
  ground.executor = std::make_unique<ThreadPool>("feedback", options.storage_threads);
  ground.timers = std::make_unique<ThreadTimerQueue>();
  kv::RocksStoreOptions store_options;
  store_options.path = options.serving.data_dir;
  store_options.store_name = "feedback";
  store_options.schema_version = kFeedbackSchemaVersion;
  ASSAY_ASSIGN_OR_RETURN(ground.kv_store, kv::OpenRocksStore(std::move(store_options),
                                                             *ground.executor, SystemClock()));
  ASSAY_ASSIGN_OR_RETURN(ground.store,
                         KvFeedbackStore::Open(*ground.kv_store, *ground.executor, SystemClock()));
  ground.trace_channel = rpc::MakeChannel(options.trace_address);
  options.trace.peer = StrCat("trace at ", options.trace_address);
  std::unique_ptr<FeedbackServer> server(new FeedbackServer(options, metrics, std::move(ground)));
  ASSAY_ASSIGN_OR_RETURN(
      server->server_,
      rpc::Server::Start(rpc::ToServerOptions("feedback", options.serving),
                         {{v1::FeedbackService::service_full_name(), &server->service_}},
                         &server->runtime_));
  server->pusher_.Start();
  return server;
}

FeedbackServer::FeedbackServer(const Options& options, rpc::Metrics* metrics, Ground ground)
    : ground_(std::move(ground)),
      traces_(ground_.trace_channel, *ground_.executor, *ground_.timers, options.trace),
      projection_(ground_.trace_channel, *ground_.executor, options.trace.peer),
      assessments_(*ground_.store, traces_, SystemClock()),
      search_(*ground_.store),
      pusher_(*ground_.store, projection_, *ground_.timers, *ground_.executor, SystemClock(),
              options.outbox),
      runtime_(RuntimeOptionsFor(*ground_.executor, metrics)),
      service_(assessments_, search_, runtime_) {}

FeedbackServer::~FeedbackServer() {
  server_.reset();
  pusher_.Stop();
  // Retries that wait answer now, and need the executor for it.
  ground_.timers.reset();
  ground_.executor->Shutdown();
}

std::vector<std::pair<std::string, std::string>> FeedbackServer::Endpoints() const {
  return {{"grpc", server_->address()}};
}

void FeedbackServer::Drain() { server_->Drain(); }

}  // namespace assay::feedback
