#include "services/trace/server.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/clock/clock.h"
#include "common/log/log.h"
#include "common/rocks/backup.h"
#include "common/rocks/disk_space.h"
#include "common/rpc/channel.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/lifecycle/retention_rule.h"
#include "services/trace/store/migrate.h"

namespace assay::trace {
namespace {

rpc::RuntimeOptions RuntimeOptionsFor(std::string service, ThreadPool& executor,
                                      rpc::Metrics* metrics) {
  rpc::RuntimeOptions options;
  options.service = std::move(service);
  options.executor = &executor;
  options.metrics = metrics;
  return options;
}

rpc::ServerOptions TraceServerOptions(const Options& options) {
  rpc::ServerOptions server = rpc::ToServerOptions("trace", options.serving);
  // A span that an export request could hold can be read: as shown it is a few times as large.
  server.max_send_bytes = static_cast<int>(
      std::max<int64_t>(options.serving.max_message_bytes, 8 * options.otlp_max_body_bytes));
  return server;
}

TransferOptions TransferOptionsFor(const Options& options, const PriceTable& prices) {
  TransferOptions transfer{.max_streams = options.max_trace_streams, .prices = &prices};
  transfer.import.batch_bytes =
      std::min(transfer.import.batch_bytes, static_cast<size_t>(options.otlp_max_body_bytes));
  return transfer;
}

rpc::ServerOptions OtlpServerOptions(const Options& options) {
  rpc::ServerOptions server = rpc::ToServerOptions("otlp", options.serving);
  server.listen_address = options.otlp_listen_address;
  // gRPC refuses what is far beyond the bound; what is just beyond it gets an error that says so.
  server.max_message_bytes = static_cast<int>(
      std::min<int64_t>(2 * options.otlp_max_body_bytes, rpc::kLargestMaxMessageBytes));
  // The ingestor decompresses, with a bound of its own.
  server.accept_compressed = true;
  server.channel_arguments.emplace_back("grpc.per_message_decompression", 0);
  return server;
}

rpc::Counter CompletedTraces(rpc::Metrics& metrics) {
  return metrics.AddCounter("assay_trace_completed_traces_total",
                            "Completions of traces, repeated ones included.");
}

CompletionOptions CompletionOptionsFor(const Options& options, OpenSessions& sessions,
                                       rpc::Metrics& metrics) {
  CompletionOptions completion;
  completion.completer.open_sessions = &sessions;
  completion.completer.idle_window = options.trace_idle_window;
  completion.completer.session_idle_window = options.session_idle_window;
  completion.completer.on_completed =
      [traces = CompletedTraces(metrics),
       sessions = metrics.AddCounter("assay_trace_completed_sessions_total",
                                     "Completions of sessions, repeated ones included.")](
          int64_t trace_count, int64_t session_count) mutable {
        traces.Increment(static_cast<double>(trace_count));
        sessions.Increment(static_cast<double>(session_count));
      };
  completion.watch.max_watches = static_cast<size_t>(options.max_watches);
  completion.feed_retention = options.feed_retention;
  return completion;
}

std::vector<std::string> SplitAtCommas(const std::vector<std::string>& lists) {
  std::vector<std::string> all;
  for (const std::string& list : lists) {
    for (absl::string_view one : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
      all.emplace_back(absl::StripAsciiWhitespace(one));
    }
  }
  return all;
}

StoreCareOptions StoreCareOptionsFor(const Options& options) {
  return {.default_rule = {.max_age_ms = absl::ToInt64Milliseconds(options.retention_max_age),
                           .max_bytes = options.retention_max_bytes}};
}

absl::Status CheckDefaultRule(const Options& options) {
  const bool too_young = options.retention_max_age > absl::ZeroDuration() &&
                         options.retention_max_age < absl::Milliseconds(kMinMaxAgeMs);
  const bool too_small =
      options.retention_max_bytes > 0 && options.retention_max_bytes < kMinMaxBytes;
  if (!too_young && !too_small) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_FLAG",
                   too_young ? "--retention_max_age is less than a minute; 0 keeps traces"
                             : "--retention_max_bytes is less than 1 MiB; 0 is no bound");
}

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

// Counts how the ways of evaluation results end.
std::function<void(PushOutcome)> CountOutcomes(rpc::Metrics& metrics) {
  const auto counter = [&metrics](const std::string& outcome) {
    return metrics.AddCounter("assay_trace_evaluation_results_total",
                              "Evaluation results whose way to the feedback service has ended.",
                              {{"outcome", outcome}});
  };
  return [taken = counter("taken"), refused = counter("refused"),
          missing = counter("trace_missing")](PushOutcome outcome) mutable {
    switch (outcome) {
      case PushOutcome::kTaken:
        return taken.Increment();
      case PushOutcome::kRefused:
        return refused.Increment();
      case PushOutcome::kTraceMissing:
        return missing.Increment();
    }
  };
}

}  // namespace

void AddFlags(Options* options, config::FlagSet& flags) {
  rpc::AddServiceFlags(std::string(kDefaultListenAddress), &options->serving, flags);
  flags.Group("Traces");
  flags.Add("otlp_listen_address", &options->otlp_listen_address,
            "Address for OpenTelemetry's gRPC exporters.", {.example = "0.0.0.0:4317"});
  flags.Add("registry_address", &options->registry_address,
            "The registry, where experiments that spans name are created.",
            {.example = "registry:7401"});
  flags.Add("feedback_address", &options->feedback_address,
            "The feedback service, which gets evaluation results that arrive as log records.",
            {.example = "feedback:7404"});
  flags.Add("evaluation_patience", &options->evaluation_patience,
            "How long an evaluation result waits for its trace before it is dropped.");
  flags.Add("create_experiments", &options->create_experiments,
            "Create experiments that spans name and that do not exist yet.");
  flags.Add("otlp_max_body_bytes", &options->otlp_max_body_bytes,
            "Largest export request after decompression.",
            {.min = 1024, .max = static_cast<double>(kLargestMaxBodyBytes)});
  flags.Add(
      "otlp_max_bytes_in_flight", &options->otlp_max_bytes_in_flight,
      "Memory for export requests being stored; beyond it clients are told to retry. At least "
      "three times otlp_max_body_bytes is used.",
      {.min = 1024});
  flags.Add("search_max_scanned", &options->search_max_scanned,
            "Traces read for one page of a search.", {.min = 1, .max = 1e6});
  flags.Add("search_max_span_bytes", &options->search_max_span_bytes,
            "Bytes of spans read for one page of a search, if the filter asks for what is in no "
            "summary of a trace.",
            {.min = 1});
  flags.Add("search_time_budget", &options->search_time_budget,
            "How long one page of a search may take before it is answered with what was found.");
  flags.Add("aggregate_time_budget", &options->aggregate_time_budget, "The same for an aggregate.");
  flags.Add("trace_storage_threads", &options->storage_threads,
            "Threads that read and write the trace store.", {.min = 1, .max = 64});
  flags.Add("indexed_attributes", &options->indexed_attributes,
            "Span and resource attributes that searches find by an index, beside service.name, "
            "deployment.environment.name and the names of agents, tools and prompts. For traces "
            "that arrive from now on.",
            {.example = "tenant,customer.tier"});
  flags.Add("price_table", &options->price_table,
            "JSON file of prices per million tokens, in place of the built-in list prices "
            "(docs/span_meaning.md).",
            {.example = "prices.json"});
  flags.Add("trace_idle_window", &options->trace_idle_window,
            "How long no span may arrive before a trace whose root span has ended is complete.");
  flags.Add("session_idle_window", &options->session_idle_window,
            "How long no trace of a session may be completed before the session is complete.");
  flags.Add("feed_retention", &options->feed_retention,
            "How long watchers may be away: resume tokens that are older are refused.");
  flags.Add("max_watches", &options->max_watches,
            "Open WatchTraces and WatchSessions streams; more are told to retry.",
            {.min = 1, .max = 100'000});
  flags.Add("max_trace_streams", &options->max_trace_streams,
            "Open StreamTraces and ExportTraces streams; more are told to retry.",
            {.min = 1, .max = 10'000});
  flags.Group("Trace store");
  flags.Add("retention_max_age", &options->retention_max_age,
            "Traces go this long after they were created, in experiments without a rule of their "
            "own; 0 keeps them. At least a minute otherwise.",
            {.example = "720h", .min = 0});
  flags.Add("retention_max_bytes", &options->retention_max_bytes,
            "The oldest traces of such an experiment go when the bytes of all exceed this; 0 is no "
            "bound.",
            {.min = 0});
  flags.Add("trace_memory_bytes", &options->memory_bytes,
            "Memory that the trace store uses when it is busy, for what is written and for what is "
            "read.",
            {.min = 16 << 20});
  flags.Add(
      "pack_bytes_per_second", &options->pack_bytes_per_second,
      "Spans that came while many requests were on their way are packed for speed, and packed "
      "again, to less than two thirds, when the store is quiet: at most so many bytes a second; 0 "
      "leaves them.",
      {.min = 0});
  flags.Add("min_free_disk_bytes", &options->min_free_disk_bytes,
            "Writes are refused while less is free on the disk of data_dir; 0 never refuses.",
            {.min = 0});
  flags.Add("trace_backup_dir", &options->backup_dir,
            "Directory for backups, better on another disk; empty for none.",
            {.example = "/backup/trace"});
  flags.Add("restore_from", &options->restore_from,
            "A backup to restore into data_dir, which must be empty, before serving: "
            "DIRECTORY[@latest] or DIRECTORY@NUMBER.",
            {.example = "/backup/trace@latest"});
}

absl::StatusOr<std::unique_ptr<TraceServer>> TraceServer::Start(const Options& options,
                                                                rpc::Metrics* metrics) {
  ASSAY_ASSIGN_OR_RETURN(PriceTable prices, PriceTable::Load(options.price_table));
  auto executor = std::make_unique<ThreadPool>("trace", options.storage_threads);
  ASSAY_RETURN_IF_ERROR(CheckDefaultRule(options));
  ASSAY_RETURN_IF_ERROR(RestoreIfAsked(options));
  auto watermark = std::make_unique<DiskWatermark>(
      [path = options.serving.data_dir] { return rocks::FreeDiskBytes(path); },
      WatermarkOptions{.min_free_bytes = options.min_free_disk_bytes});
  ASSAY_ASSIGN_OR_RETURN(
      std::unique_ptr<TraceDb> db,
      TraceDb::Open({.path = options.serving.data_dir,
                     .memory_bytes = options.memory_bytes,
                     .check_writable = [&disk = *watermark] { return disk.CheckWritable(); }},
                    *executor, SystemClock()));
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<RocksFeedStore> feed_store, RocksFeedStore::Open(*db));
  std::unique_ptr<RocksBackupStore> backup_store;
  if (!options.backup_dir.empty()) {
    ASSAY_ASSIGN_OR_RETURN(backup_store, RocksBackupStore::Open(options.backup_dir, *db));
  }
  std::unique_ptr<TraceServer> server(
      new TraceServer(options, metrics, std::move(executor), std::move(watermark), std::move(db),
                      std::move(feed_store), std::move(backup_store), std::move(prices)));
  ASSAY_RETURN_IF_ERROR(server->Migrate(options));
  server->watermark_->Start(*server->executor_, *server->timers_);
  server->care_.Start();
  server->packer_.Start();
  server->completion_.Start();
  ASSAY_RETURN_IF_ERROR(server->feedback_pusher_.Load());
  ASSAY_RETURN_IF_ERROR(server->Listen(options));
  if (!options.feedback_address.empty()) server->ConnectFeedback(options.feedback_address);
  server->CreateExperiments();
  return server;
}

TraceServer::TraceServer(const Options& options, rpc::Metrics* metrics,
                         std::unique_ptr<ThreadPool> executor,
                         std::unique_ptr<DiskWatermark> watermark, std::unique_ptr<TraceDb> db,
                         std::unique_ptr<RocksFeedStore> feed_store,
                         std::unique_ptr<RocksBackupStore> backup_store, PriceTable prices)
    : prices_(std::move(prices)),
      indexed_attributes_(SplitAtCommas(options.indexed_attributes)),
      executor_(std::move(executor)),
      watermark_(std::move(watermark)),
      db_(std::move(db)),
      open_sessions_(SystemClock().Now(), db_->Experiments().empty(), options.trace_idle_window),
      store_(*db_, {.idle_window = options.trace_idle_window, .open_sessions = &open_sessions_}),
      log_store_(*db_),
      packer_(*db_, [this] { return store_.hasty_bytes(); },
              {.bytes_per_second = options.pack_bytes_per_second}),
      lifecycle_store_(*db_),
      backup_store_(std::move(backup_store)),
      index_(*db_),
      completion_store_(*db_),
      feed_store_(std::move(feed_store)),
      timers_(std::make_unique<ThreadTimerQueue>()),
      registry_(rpc::MakeChannel(options.registry_address),
                StrCat("registry at ", options.registry_address), *executor_, SystemClock()),
      registrar_(store_, registry_, *executor_, *timers_, SystemClock()),
      create_experiments_(options.create_experiments),
      projection_(store_, *executor_, *timers_, SystemClock()),
      queries_(store_, index_, projection_, *executor_, SystemClock(),
               {.search = {.max_scanned = static_cast<size_t>(options.search_max_scanned),
                           .max_span_bytes = options.search_max_span_bytes,
                           .time_budget = options.search_time_budget,
                           .aggregate_budget = options.aggregate_time_budget},
                .attributes = &indexed_attributes_,
                .indexed_since = &indexed_since_,
                .register_experiments = options.create_experiments,
                .prices = &prices_},
               [this] { CreateExperiments(); }),
      ingestor_(store_, *executor_,
                {.max_body_bytes = options.otlp_max_body_bytes,
                 .max_bytes_in_flight = options.otlp_max_bytes_in_flight,
                 .register_experiments = options.create_experiments,
                 .indexed_attributes = SplitAtCommas(options.indexed_attributes),
                 .prices = &prices_,
                 .complete =
                     [this](const TraceId& trace, DoneStatus done) {
                       completion_.completer().Complete("-", trace, {}, std::move(done));
                     },
                 .on_completed =
                     [traces = CompletedTraces(*metrics)](int64_t count) mutable {
                       traces.Increment(static_cast<double>(count));
                     }},
                [this] { CreateExperiments(); }),
      feedback_(*executor_, SystemClock()),
      feedback_pusher_(log_store_, store_, feedback_, *timers_, *executor_, SystemClock(),
                       CountOutcomes(*metrics), {.trace_patience = options.evaluation_patience}),
      log_ingestor_(log_store_, feedback_pusher_, *executor_, SystemClock(),
                    {.max_body_bytes = options.otlp_max_body_bytes,
                     .max_bytes_in_flight = options.otlp_max_bytes_in_flight}),
      completion_(store_, completion_store_, *feed_store_, *executor_, *timers_, SystemClock(),
                  CompletionOptionsFor(options, open_sessions_, *metrics)),
      lifecycle_(
          lifecycle_store_, store_,
          [this](const CallContext& call, const v1::SearchTracesRequest& request,
                 Done<v1::SearchTracesResponse> done) {
            queries_.Search(call, request, std::move(done));
          },
          *executor_, SystemClock()),
      transfers_(store_, queries_, ingestor_, *executor_, *timers_, SystemClock(),
                 TransferOptionsFor(options, prices_)),
      care_(lifecycle_store_, backup_store_.get(), *watermark_, *executor_, *timers_, SystemClock(),
            StoreCareOptionsFor(options)),
      runtime_(RuntimeOptionsFor("trace", *executor_, metrics)),
      otlp_runtime_(RuntimeOptionsFor("otlp", *executor_, metrics)),
      trace_service_(queries_, completion_.completions(), completion_.watches(), lifecycle_,
                     transfers_, runtime_),
      session_service_(completion_.sessions(), completion_.watches(), runtime_),
      admin_service_(care_.retentions(), care_.backups(), care_.status(), runtime_),
      transfer_service_(transfers_, runtime_),
      projection_service_(projection_, runtime_),
      otlp_service_(ingestor_, otlp_runtime_, *metrics),
      otlp_logs_service_(log_ingestor_, otlp_runtime_, *metrics),
      pending_results_gauge_(metrics->AddObservedGauge(
          "assay_trace_pending_evaluation_results",
          "Evaluation results that the feedback service has not taken yet.", {},
          [this] { return static_cast<double>(feedback_pusher_.pending()); })),
      lag_gauge_(metrics->AddObservedGauge(
          "assay_trace_completion_lag_seconds",
          "How long the earliest trace that is due has been waiting to be looked at.", {},
          [this] { return absl::ToDoubleSeconds(completion_.completer().Lag()); })),
      watches_gauge_(metrics->AddObservedGauge(
          "assay_trace_open_watches", "Open streams that watch traces or sessions.", {},
          [this] { return static_cast<double>(completion_.watch().open_watches()); })),
      free_gauge_(metrics->AddObservedGauge(
          "assay_trace_disk_free_bytes", "Bytes free on the disk of the trace store.", {},
          [this] { return static_cast<double>(watermark_->free_bytes()); })),
      refuses_gauge_(metrics->AddObservedGauge(
          "assay_trace_writes_refused", "1 while the disk is nearly full and writes are refused.",
          {}, [this] { return watermark_->refuses() ? 1.0 : 0.0; })) {}

absl::Status TraceServer::Migrate(const Options& options) {
  ASSAY_ASSIGN_OR_RETURN(indexed_since_,
                         NoteIndexedAttributes(*db_, SplitAtCommas(options.indexed_attributes)));
  ASSAY_ASSIGN_OR_RETURN(const int64_t moved,
                         MigrateFirstSchema(*db_, store_, indexed_attributes_, prices_));
  if (moved > 0) log::Info("traces of the first schema were moved", {{"traces", moved}});
  return absl::OkStatus();
}

absl::Status TraceServer::Listen(const Options& options) {
  ASSAY_ASSIGN_OR_RETURN(
      server_, rpc::Server::Start(
                   TraceServerOptions(options),
                   {{v1::TraceService::service_full_name(), &trace_service_},
                    {v1::SessionService::service_full_name(), &session_service_},
                    {v1::TraceAdminService::service_full_name(), &admin_service_},
                    {v1::TraceTransferService::service_full_name(), &transfer_service_},
                    {v1::AssessmentProjectionService::service_full_name(), &projection_service_}},
                   &runtime_));
  ASSAY_ASSIGN_OR_RETURN(
      otlp_server_,
      rpc::Server::Start(OtlpServerOptions(options),
                         {{otlp::TraceService::service_full_name(), &otlp_service_},
                          {otlp_logs::LogsService::service_full_name(), &otlp_logs_service_}},
                         &otlp_runtime_));
  return absl::OkStatus();
}

void TraceServer::ConnectFeedback(const std::string& address) {
  feedback_.Connect(address);
  feedback_pusher_.Start();
}

void TraceServer::OnPeers(const std::map<std::string, std::string>& addresses) {
  const auto found = addresses.find("feedback");
  if (found != addresses.end()) ConnectFeedback(found->second);
}

void TraceServer::CreateExperiments() {
  if (create_experiments_) registrar_.Poke();
}

TraceServer::~TraceServer() {
  otlp_server_.reset();
  server_.reset();
  packer_.Stop();
  registrar_.Stop();
  feedback_pusher_.Stop();
  completion_.Stop();
  lifecycle_store_.StopReclaiming();
  care_.Stop();
  watermark_->Stop();
  timers_.reset();  // Its tasks use what is destroyed before it.
  executor_->Shutdown();
}

std::vector<std::pair<std::string, std::string>> TraceServer::Endpoints() const {
  return {{"grpc", server_->address()}, {"otlp", otlp_server_->address()}};
}

void TraceServer::Drain() {
  otlp_server_->Drain();
  server_->Drain();
}

}  // namespace assay::trace
