#include "services/trace/server.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/clock/clock.h"
#include "common/log/log.h"
#include "common/rpc/channel.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
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

absl::StatusOr<std::unique_ptr<TraceServer>> TraceServer::Start(const Options& options,
                                                                rpc::Metrics* metrics) {
  ASSAY_RETURN_IF_ERROR(CheckOptions(options));
  ASSAY_ASSIGN_OR_RETURN(PriceTable prices, PriceTable::Load(options.price_table));
  auto executor = std::make_unique<ThreadPool>("trace", options.storage_threads);
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<Stores> stores, Stores::Open(options, *executor));
  std::unique_ptr<TraceServer> server(
      new TraceServer(options, metrics, std::move(executor), std::move(stores), std::move(prices)));
  ASSAY_RETURN_IF_ERROR(server->Migrate());
  server->stores_->Start(*server->executor_, *server->timers_);
  server->care_.Start();
  server->completion_.Start();
  ASSAY_RETURN_IF_ERROR(server->feedback_pusher_.Load());
  ASSAY_RETURN_IF_ERROR(server->Listen(options));
  if (!options.feedback_address.empty()) server->ConnectFeedback(options.feedback_address);
  server->CreateExperiments();
  return server;
}

TraceServer::TraceServer(const Options& options, rpc::Metrics* metrics,
                         std::unique_ptr<ThreadPool> executor, std::unique_ptr<Stores> stores,
                         PriceTable prices)
    : prices_(std::move(prices)),
      attribute_names_(SplitAtCommas(options.indexed_attributes)),
      indexed_attributes_(attribute_names_),
      executor_(std::move(executor)),
      readers_(std::make_unique<ThreadPool>("trace-read", options.storage_threads)),
      stores_(std::move(stores)),
      timers_(std::make_unique<ThreadTimerQueue>()),
      registry_(rpc::MakeChannel(options.registry_address),
                StrCat("registry at ", options.registry_address), *executor_, SystemClock()),
      registrar_(stores_->traces, registry_, *executor_, *timers_, SystemClock()),
      create_experiments_(options.create_experiments),
      projection_(stores_->traces, *executor_, *timers_, SystemClock()),
      queries_(stores_->traces, stores_->index, projection_, *readers_, SystemClock(),
               {.search = {.max_scanned = static_cast<size_t>(options.search_max_scanned),
                           .max_span_bytes = options.search_max_span_bytes,
                           .time_budget = options.search_time_budget,
                           .aggregate_budget = options.aggregate_time_budget},
                .attributes = &indexed_attributes_,
                .indexed_since = &indexed_since_,
                .register_experiments = options.create_experiments,
                .prices = &prices_},
               [this] { CreateExperiments(); }),
      ingestor_(stores_->traces, *executor_,
                {.max_body_bytes = options.otlp_max_body_bytes,
                 .max_bytes_in_flight = options.otlp_max_bytes_in_flight,
                 .register_experiments = options.create_experiments,
                 .indexed_attributes = attribute_names_,
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
      feedback_pusher_(stores_->logs, stores_->traces, feedback_, *timers_, *executor_,
                       SystemClock(), CountOutcomes(*metrics),
                       {.trace_patience = options.evaluation_patience}),
      log_ingestor_(stores_->logs, feedback_pusher_, *executor_, SystemClock(),
                    {.max_body_bytes = options.otlp_max_body_bytes,
                     .max_bytes_in_flight = options.otlp_max_bytes_in_flight}),
      completion_(stores_->traces, stores_->completions, *stores_->feed, *executor_, *timers_,
                  SystemClock(), CompletionOptionsFor(options, stores_->open_sessions, *metrics)),
      lifecycle_(
          stores_->lifecycle, stores_->traces,
          [this](const CallContext& call, const v1::SearchTracesRequest& request,
                 Done<v1::SearchTracesResponse> done) {
            queries_.Search(call, request, std::move(done));
          },
          *executor_, SystemClock()),
      transfers_(stores_->traces, queries_, ingestor_, *executor_, *timers_, SystemClock(),
                 TransferOptionsFor(options, prices_)),
      care_(stores_->lifecycle, stores_->backups.get(), *stores_->watermark, *executor_, *timers_,
            SystemClock(), StoreCareOptionsFor(options)),
      runtime_(RuntimeOptionsFor("trace", *readers_, metrics)),
      otlp_runtime_(RuntimeOptionsFor("otlp", *executor_, metrics)),
      trace_service_(queries_, completion_.completions(), completion_.watches(), lifecycle_,
                     transfers_, runtime_),
      session_service_(completion_.sessions(), completion_.watches(), runtime_),
      admin_service_(care_.retentions(), care_.backups(), care_.status(), runtime_),
      transfer_service_(transfers_, runtime_),
      projection_service_(projection_, runtime_),
      otlp_service_(ingestor_, otlp_runtime_, *metrics),
      otlp_logs_service_(log_ingestor_, otlp_runtime_, *metrics),
      gauges_(Observe(*metrics)) {}

std::vector<std::unique_ptr<rpc::Metrics::Registration>> TraceServer::Observe(
    rpc::Metrics& metrics) {
  std::vector<std::unique_ptr<rpc::Metrics::Registration>> gauges;
  const auto observe = [&](const char* name, const char* what, std::function<double()> value) {
    gauges.push_back(metrics.AddObservedGauge(name, what, {}, std::move(value)));
  };
  observe("assay_trace_pending_evaluation_results",
          "Evaluation results that the feedback service has not taken yet.",
          [this] { return static_cast<double>(feedback_pusher_.pending()); });
  observe("assay_trace_completion_lag_seconds",
          "How long the earliest trace that is due has been waiting to be looked at.",
          [this] { return absl::ToDoubleSeconds(completion_.completer().Lag()); });
  observe("assay_trace_open_watches", "Open streams that watch traces or sessions.",
          [this] { return static_cast<double>(completion_.watch().open_watches()); });
  observe("assay_trace_disk_free_bytes", "Bytes free on the disk of the trace store.",
          [this] { return static_cast<double>(stores_->watermark->free_bytes()); });
  observe("assay_trace_writes_refused", "1 while the disk is nearly full and writes are refused.",
          [this] { return stores_->watermark->refuses() ? 1.0 : 0.0; });
  return gauges;
}

absl::Status TraceServer::Migrate() {
  ASSAY_ASSIGN_OR_RETURN(indexed_since_, NoteIndexedAttributes(*stores_->db, attribute_names_));
  ASSAY_ASSIGN_OR_RETURN(const int64_t moved, MigrateFirstSchema(*stores_->db, stores_->traces,
                                                                 indexed_attributes_, prices_));
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
  registrar_.Stop();
  feedback_pusher_.Stop();
  completion_.Stop();
  stores_->Stop();
  care_.Stop();
  timers_.reset();  // Its tasks use what is destroyed before it.
  readers_->Shutdown();
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
