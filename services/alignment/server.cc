#include "services/alignment/server.h"

#include "common/clock/clock.h"
#include "common/kv/rocks_store.h"
#include "common/rpc/channel.h"
#include "common/status/status_macros.h"

namespace assay::alignment {
namespace {

rpc::RuntimeOptions RuntimeOptionsFor(ThreadPool& executor, rpc::Metrics* metrics) {
  rpc::RuntimeOptions options;
  options.service = "alignment";
  options.executor = &executor;
  options.metrics = metrics;
  options.executor_queue = [&executor] { return static_cast<double>(executor.QueueLength()); };
  return options;
}

Peer MakePeer(const std::string& service, const std::string& address) {
  return {rpc::MakeChannel(address), service + " at " + address};
}

}  // namespace

void AddFlags(Options* options, config::FlagSet& flags) {
  rpc::AddServiceFlags(std::string(kDefaultListenAddress), &options->serving, flags);
  flags.Group("Alignment");
  flags.Add("max_running_alignments", &options->alignments.max_running,
            "Alignments that run at a time; others wait their turn.", {.min = 1, .max = 64});
  flags.Add("alignment_preparation_threads", &options->alignments.preparation_threads,
            "Labelled sets and registrations that are worked on at a time.", {.min = 1, .max = 64});
  flags.Add("alignment_threads", &options->threads,
            "Threads that answer calls and take the answers of other services.",
            {.min = 1, .max = 64});
}

void AddPeerFlags(Options* options, config::FlagSet& flags) {
  flags.Group("Other services");
  flags.Add("registry_address", &options->registry_address, "Where the registry service listens.");
  flags.Add("trace_address", &options->trace_address, "Where the trace service listens.");
  flags.Add("judge_address", &options->judge_address, "Where the judge service listens.");
  flags.Add("feedback_address", &options->feedback_address, "Where the feedback service listens.");
}

absl::StatusOr<std::unique_ptr<AlignmentServer>> AlignmentServer::Start(const Options& options,
                                                                        rpc::Metrics* metrics) {
  auto executor = std::make_unique<ThreadPool>("alignment", options.threads);
  kv::RocksStoreOptions store_options;
  store_options.path = options.serving.data_dir;
  store_options.store_name = "alignment";
  store_options.schema_version = kAlignmentSchemaVersion;
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<kv::Store> kv_store,
                         kv::OpenRocksStore(std::move(store_options), *executor, SystemClock()));
  std::unique_ptr<AlignmentServer> server(
      new AlignmentServer(options, metrics, std::move(executor), std::move(kv_store)));
  ASSAY_ASSIGN_OR_RETURN(
      server->server_,
      rpc::Server::Start(rpc::ToServerOptions("alignment", options.serving),
                         {{v1::AlignmentService::service_full_name(), &server->service_}},
                         &server->runtime_));
  ASSAY_RETURN_IF_ERROR(server->alignments_.ResumeRunning());
  return server;
}

AlignmentServer::AlignmentServer(const Options& options, rpc::Metrics* metrics,
                                 std::unique_ptr<ThreadPool> executor,
                                 std::unique_ptr<kv::Store> kv_store)
    : executor_(std::move(executor)),
      kv_store_(std::move(kv_store)),
      store_(*kv_store_, *executor_, SystemClock()),
      timers_(std::make_unique<ThreadTimerQueue>()),
      feedback_(MakePeer("feedback", options.feedback_address),
                PatientRetries(*executor_, *timers_)),
      trace_(MakePeer("trace", options.trace_address), PatientRetries(*executor_, *timers_)),
      judge_(MakePeer("judge", options.judge_address), PatientRetries(*executor_, *timers_)),
      registry_(MakePeer("registry", options.registry_address),
                PatientRetries(*executor_, *timers_)),
      runtime_(RuntimeOptionsFor(*executor_, metrics)),
      alignments_(store_,
                  {.feedback = &feedback_,
                   .trace = &trace_,
                   .judge = &judge_,
                   .model = &judge_,
                   .registry = &registry_},
                  *executor_, SystemClock(), options.alignments),
      service_(alignments_, runtime_) {}

AlignmentServer::~AlignmentServer() {
  server_.reset();
  alignments_.Stop();  // Waits for calls in flight: these need timers and executor.
  timers_.reset();
  executor_->Shutdown();
}

std::vector<std::pair<std::string, std::string>> AlignmentServer::Endpoints() const {
  return {{"grpc", server_->address()}};
}

void AlignmentServer::Drain() { server_->Drain(); }

}  // namespace assay::alignment
