#include "services/judge/server.h"

#include <fstream>
#include <iterator>

#include "common/clock/clock.h"
#include "common/kv/rocks_store.h"
#include "common/rpc/channel.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/offline/lexical_model.h"

namespace assay::judge {
namespace {

// How long the end of the process waits for the traces of the last judgements.
constexpr absl::Duration kTraceFlushLimit = absl::Seconds(3);
constexpr absl::Duration kWatchInterval = absl::Milliseconds(200);

rpc::RuntimeOptions RuntimeOptionsFor(ThreadPool& executor, rpc::Metrics* metrics) {
  rpc::RuntimeOptions options;
  options.service = "judge";
  options.executor = &executor;
  options.metrics = metrics;
  options.executor_queue = [&executor] { return static_cast<double>(executor.QueueLength()); };
  return options;
}

rpc::RetryEnvironment Retries(ThreadPool& executor, TimerQueue& timers) {
  rpc::RetryEnvironment retries;
  retries.executor = &executor;
  retries.timers = &timers;
  return retries;
}

// A user's server that is away for a moment is asked three times in all.
rpc::RetryEnvironment UserRetries(ThreadPool& executor, TimerQueue& timers) {
  rpc::RetryEnvironment retries = Retries(executor, timers);
  retries.policy.max_attempts = 3;
  return retries;
}

TraceClient::Peers TracePeers(const Options& options) {
  return {rpc::MakeChannel(options.trace_address), options.trace_address,
          rpc::MakeChannel(options.otlp_address), options.otlp_address};
}

absl::StatusOr<std::string> ReadAuthorities(const std::string& path) {
  if (path.empty()) return "";
  std::ifstream file(path, std::ios::binary);
  std::string pem((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.is_open() && pem.find("-----BEGIN CERTIFICATE-----") != std::string::npos) return pem;
  return InvalidField("scorer_ca_file", "must be a readable file with certificates in PEM");
}

}  // namespace

void AddFlags(Options* options, config::FlagSet& flags) {
  rpc::AddServiceFlags(std::string(kDefaultListenAddress), &options->serving, flags);
  flags.Group("Judge");
  flags.Add("registry_address", &options->registry_address, "Where the registry service is.");
  flags.Add("trace_address", &options->trace_address, "Where the trace service is.");
  flags.Add("otlp_address", &options->otlp_address,
            "Where the trace service takes spans (OTLP over gRPC).");
  flags.Add("feedback_address", &options->feedback_address, "Where the feedback service is.");
  flags.Add("allow_remote_scorers", &options->allow_remote_scorers,
            "Whether judges and evaluations may call scorers and predictors on other machines.");
  flags.Add(
      "scorer_ca_file", &options->scorer_ca_file,
      "Authorities of scorers that are called with TLS, a file of PEM; the system's if none is "
      "given.");
  flags.Add("max_trace_bytes", &options->max_trace_bytes,
            "What is loaded of one trace for a judge; a larger one is cut, and the judge is told.",
            {.min = 1 << 20, .max = int64_t{1} << 30});
  flags.Add("record_judgements", &options->record_judgements,
            "Whether each judgement that asks a model becomes a trace, linked to its feedback.");
  flags.Add("max_running_evaluations", &options->max_running_evaluations,
            "Evaluations at work at a time; the others wait.", {.min = 1, .max = 256});
  flags.Add("evaluation_model_wait", &options->evaluation_model_wait,
            "How long an evaluation's rows wait for a model that is not asked because it failed "
            "several times in a row; then they fail. 0: they do not wait.",
            {.min = 0, .max = 7 * 86'400});
  flags.Add("judge_storage_threads", &options->storage_threads,
            "Threads that read and write the judge service's store.", {.min = 1, .max = 64});
  flags.Add("judge_cpu_threads", &options->cpu_threads,
            "Threads that make prompts and read answers.", {.min = 1, .max = 64});
  AddModelFlags(flags, &options->models);
  AddModelStackFlags(flags, &options->model_stack);
}

absl::StatusOr<std::unique_ptr<JudgeServer>> JudgeServer::Start(const Options& options,
                                                                rpc::Metrics* metrics) {
  Ground ground;
  ASSAY_ASSIGN_OR_RETURN(const ModelConfig models, ResolveModelConfig(options.models));
  ground.storage = std::make_unique<ThreadPool>("judge-storage", options.storage_threads);
  ground.cpu = std::make_unique<ThreadPool>("judge-cpu", options.cpu_threads);
  kv::RocksStoreOptions store_options;
  store_options.path = options.serving.data_dir;
  store_options.store_name = "judge";
  store_options.schema_version = kJudgeSchemaVersion;
  ASSAY_ASSIGN_OR_RETURN(ground.kv_store, kv::OpenRocksStore(std::move(store_options),
                                                             *ground.storage, SystemClock()));
  ASSAY_ASSIGN_OR_RETURN(ground.scorer_authorities, ReadAuthorities(options.scorer_ca_file));
  ground.timers = std::make_unique<ThreadTimerQueue>();
  ASSAY_ASSIGN_OR_RETURN(ground.http, http::CurlHttpClient::Create(ground.cpu.get()));
  ASSAY_ASSIGN_OR_RETURN(ground.models,
                         ModelStack::Open(models, options.model_stack,
                                          {.store = ground.kv_store.get(),
                                           .storage = ground.storage.get(),
                                           .cpu = ground.cpu.get(),
                                           .timers = ground.timers.get(),
                                           .clock = &SystemClock(),
                                           .http = ground.http.get(),
                                           .metrics = metrics},
                                          std::make_unique<offline::LexicalModel>(*ground.cpu)));
  std::unique_ptr<JudgeServer> server(new JudgeServer(options, metrics, std::move(ground)));
  ASSAY_ASSIGN_OR_RETURN(
      server->server_,
      rpc::Server::Start(
          rpc::ToServerOptions("judge", options.serving),
          {{v1::JudgeService::service_full_name(), &server->judge_service_},
           {v1::ModelService::service_full_name(), &server->model_service_},
           {v1::EvaluationService::service_full_name(), &server->evaluation_service_},
           {v1::UsageService::service_full_name(), &server->usage_service_}},
          &server->runtime_));
  ASSAY_RETURN_IF_ERROR(server->jobs_.ResumeAll());
  return server;
}

JudgeServer::JudgeServer(const Options& options, rpc::Metrics* metrics, Ground ground)
    : storage_(std::move(ground.storage)),
      cpu_(std::move(ground.cpu)),
      kv_store_(std::move(ground.kv_store)),
      timers_(std::move(ground.timers)),
      http_(std::move(ground.http)),
      user_channels_(options.allow_remote_scorers, std::move(ground.scorer_authorities)),
      models_(std::move(ground.models)),
      registry_(rpc::MakeChannel(options.registry_address), options.registry_address,
                Retries(*storage_, *timers_)),
      traces_(TracePeers(options), Retries(*storage_, *timers_), options.max_trace_bytes),
      feedback_(rpc::MakeChannel(options.feedback_address), options.feedback_address,
                Retries(*storage_, *timers_)),
      scorer_client_(user_channels_, UserRetries(*storage_, *timers_)),
      scorers_(scorer_client_, *storage_, *timers_),
      predictors_(user_channels_, UserRetries(*storage_, *timers_)),
      answers_(*kv_store_, SystemClock()),
      evaluation_store_(*kv_store_, *storage_, SystemClock()),
      judgement_traces_(rpc::MakeChannel(options.otlp_address),
                        StrCat("trace (OTLP) at ", options.otlp_address),
                        Retries(*storage_, *timers_), &SystemClock(), metrics, {}),
      resolver_(registry_),
      runner_(models_->client(), scorers_, SystemClock(), *cpu_,
              {.default_model = models_->default_model(),
               .traces = options.record_judgements ? &judgement_traces_ : nullptr}),
      recorded_(answers_),
      judgements_(runner_, resolver_, traces_, feedback_, recorded_, *storage_),
      model_calls_(models_->client(), recorded_, models_->default_model()),
      reader_(evaluation_store_, troubles_),
      watch_(reader_, *storage_, *timers_, kWatchInterval),
      patience_(*storage_, *timers_, {}),
      jobs_(MakeJobEnvironment(options), *timers_,
            {.max_running = options.max_running_evaluations}),
      evaluations_(
          evaluation_store_, resolver_, reader_, jobs_, SystemClock(),
          {.address = [this](std::string_view address) { return user_channels_.Check(address); },
           .model =
               [this](std::string_view uri) {
                 return models_->Check(uri.empty() ? models_->default_model() : uri);
               }}),
      runtime_(RuntimeOptionsFor(*storage_, metrics)),
      judge_service_(judgements_, *cpu_, runtime_),
      model_service_(
          model_calls_, [this] { return models_->Catalog(); }, runtime_),
      evaluation_service_(evaluations_, watch_, runtime_),
      usage_service_(models_->usage(), runtime_) {}

JobEnvironment JudgeServer::MakeJobEnvironment(const Options& options) {
  return {.rows = {.runner = runner_,
                   .traces = traces_,
                   .feedback = feedback_,
                   .scorers = scorers_,
                   .predictors = predictors_,
                   .models = models_->client(),
                   .patience = patience_,
                   .executor = *storage_,
                   .clock = SystemClock(),
                   .model_wait = options.evaluation_model_wait},
          .store = evaluation_store_,
          .resolver = resolver_,
          .troubles = troubles_,
          .changed = [this](const std::string& uid) { watch_.Changed(uid); }};
}

JudgeServer::~JudgeServer() {
  recorded_.Stop();
  server_.reset();
  jobs_.Stop();
  models_->Shutdown();
  // Streams end without waiting for their judgements.
  judgements_.WaitUntilIdle();
  judgement_traces_.Close(kTraceFlushLimit);
  cpu_->Shutdown();
  timers_.reset();
  http_.reset();
  models_->Close();
  storage_->Shutdown();
}

std::vector<std::pair<std::string, std::string>> JudgeServer::Endpoints() const {
  return {{"grpc", server_->address()}};
}

void JudgeServer::Drain() {
  recorded_.Stop();  // First: draining waits for calls, also for those whose callers have left.
  server_->Drain();
}

}  // namespace assay::judge
