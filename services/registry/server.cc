#include "services/registry/server.h"

#include "common/clock/clock.h"
#include "common/kv/rocks_store.h"
#include "common/status/status_macros.h"

namespace assay::registry {
namespace {

rpc::RuntimeOptions RuntimeOptionsFor(ThreadPool& executor, rpc::Metrics* metrics) {
  rpc::RuntimeOptions options;
  options.service = "registry";
  options.executor = &executor;
  options.metrics = metrics;
  options.executor_queue = [&executor] { return static_cast<double>(executor.QueueLength()); };
  return options;
}

}  // namespace

void AddFlags(Options* options, config::FlagSet& flags) {
  rpc::AddServiceFlags(std::string(kDefaultListenAddress), &options->serving, flags);
  flags.Group("Registry");
  flags.Add("default_model", &options->judges.default_model,
            "Model pinned into revisions of judges that name none.",
            {.example = "anthropic:/claude-sonnet-4-5"});
  flags.Add("registry_storage_threads", &options->storage_threads,
            "Threads that read and write the registry's store.", {.min = 1, .max = 64});
}

absl::StatusOr<std::unique_ptr<RegistryServer>> RegistryServer::Start(const Options& options,
                                                                      rpc::Metrics* metrics) {
  auto executor = std::make_unique<ThreadPool>("registry", options.storage_threads);
  kv::RocksStoreOptions store_options;
  store_options.path = options.serving.data_dir;
  store_options.store_name = "registry";
  store_options.schema_version = kRegistrySchemaVersion;
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<kv::Store> kv_store,
                         kv::OpenRocksStore(std::move(store_options), *executor, SystemClock()));
  std::unique_ptr<RegistryServer> server(
      new RegistryServer(options, metrics, std::move(executor), std::move(kv_store)));
  ASSAY_ASSIGN_OR_RETURN(
      server->server_,
      rpc::Server::Start(
          rpc::ToServerOptions("registry", options.serving),
          {{v1::ExperimentService::service_full_name(), &server->experiment_service_},
           {v1::JudgeRegistryService::service_full_name(), &server->judge_registry_service_}},
          &server->runtime_));
  return server;
}

RegistryServer::RegistryServer(const Options& options, rpc::Metrics* metrics,
                               std::unique_ptr<ThreadPool> executor,
                               std::unique_ptr<kv::Store> kv_store)
    : executor_(std::move(executor)),
      kv_store_(std::move(kv_store)),
      store_(*kv_store_, *executor_, SystemClock()),
      experiments_(store_, SystemClock()),
      judges_(store_, SystemClock(), options.judges),
      runtime_(RuntimeOptionsFor(*executor_, metrics)),
      experiment_service_(experiments_, runtime_),
      judge_registry_service_(judges_, runtime_) {}

RegistryServer::~RegistryServer() {
  server_.reset();
  executor_->Shutdown();
}

std::vector<std::pair<std::string, std::string>> RegistryServer::Endpoints() const {
  return {{"grpc", server_->address()}};
}

void RegistryServer::Drain() { server_->Drain(); }

}  // namespace assay::registry
