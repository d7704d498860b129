#include "services/trace/options.h"

#include "common/status/errors.h"
#include "services/trace/core/lifecycle/retention_rule.h"

namespace assay::trace {
namespace {

void AddIngestFlags(Options* options, config::FlagSet& flags) {
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
}

void AddSearchFlags(Options* options, config::FlagSet& flags) {
  flags.Add("search_max_scanned", &options->search_max_scanned,
            "Traces read for one page of a search.", {.min = 1, .max = 1e6});
  flags.Add("search_max_span_bytes", &options->search_max_span_bytes,
            "Bytes of spans read for one page of a search, if the filter asks for what is in no "
            "summary of a trace.",
            {.min = 1});
  flags.Add("search_time_budget", &options->search_time_budget,
            "How long one page of a search may take before it is answered with what was found.");
  flags.Add("aggregate_time_budget", &options->aggregate_time_budget, "The same for an aggregate.");
  flags.Add(
      "trace_storage_threads", &options->storage_threads,
      "Threads that take exports into the trace store, and as many that answer all other calls.",
      {.min = 1, .max = 64});
  flags.Add("indexed_attributes", &options->indexed_attributes,
            "Span and resource attributes that searches find by an index, beside service.name, "
            "deployment.environment.name and the names of agents, tools and prompts. For traces "
            "that arrive from now on.",
            {.example = "tenant,customer.tier"});
  flags.Add("price_table", &options->price_table,
            "JSON file of prices per million tokens, in place of the built-in list prices "
            "(docs/span_meaning.md).",
            {.example = "prices.json"});
}

void AddCompletionFlags(Options* options, config::FlagSet& flags) {
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
}

void AddStoreFlags(Options* options, config::FlagSet& flags) {
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
      "Spans that came while much was on its way are packed for speed, and packed "
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

}  // namespace

void AddFlags(Options* options, config::FlagSet& flags) {
  rpc::AddServiceFlags(std::string(kDefaultListenAddress), &options->serving, flags);
  flags.Group("Traces");
  AddIngestFlags(options, flags);
  AddSearchFlags(options, flags);
  AddCompletionFlags(options, flags);
  flags.Group("Trace store");
  AddStoreFlags(options, flags);
}

absl::Status CheckOptions(const Options& options) {
  const bool too_young = options.retention_max_age > absl::ZeroDuration() &&
                         options.retention_max_age < absl::Milliseconds(kMinMaxAgeMs);
  const bool too_small =
      options.retention_max_bytes > 0 && options.retention_max_bytes < kMinMaxBytes;
  if (!too_young && !too_small) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_FLAG",
                   too_young ? "--retention_max_age is less than a minute; 0 keeps traces"
                             : "--retention_max_bytes is less than 1 MiB; 0 is no bound");
}

}  // namespace assay::trace
