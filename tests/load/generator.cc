// Loads one server for a while and prints what came of it, as a line of JSON.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "common/config/flags.h"
#include "tests/load/load_result.h"
#include "tests/load/stream_load.h"
#include "tests/load/unary_load.h"
#include "tests/load/workload.h"

namespace {

using assay::load::LoadResult;
using assay::load::Window;

struct Settings {
  std::string workload = "echo";
  std::string address;
  int connections = 4;
  int in_flight = 64;
  int streams = 8;
  double rate = 0;
  int64_t seed = 0;
  int64_t first_batch = 0;
  int64_t traces = 1;
  int64_t first_read = 0;
  int64_t calls = 0;
  std::string filter;
  int judged_bytes = 0;
  double warm_up_seconds = 0.5;
  double seconds = 4;
};

void AddFlags(Settings* settings, assay::config::FlagSet& flags) {
  flags.Add("workload", &settings->workload, "What is sent.",
            {.allowed = {"echo", "ingest", "judge", "judge_stream", "get_trace", "search"}});
  flags.Add("address", &settings->address, "The server.",
            {.example = "127.0.0.1:7403", .required = true});
  flags.Add("connections", &settings->connections, "Connections to it.", {.min = 1, .max = 256});
  flags.Add("in_flight", &settings->in_flight, "Calls (or judgements of streams) in flight.",
            {.min = 1, .max = 100'000});
  flags.Add("streams", &settings->streams, "Streams that share the judgements of judge_stream.",
            {.min = 1, .max = 1000});
  flags.Add("rate", &settings->rate,
            "Calls a second, due whether or not the server keeps up; 0: an answer begins the next.",
            {.min = 0, .max = 1e6});
  flags.Add("seed", &settings->seed,
            "Of ingested traces: equal seeds give equal ids; 0: a new one. Reads need it.",
            {.min = 0});
  flags.Add("first_batch", &settings->first_batch, "The first batch that ingest sends.",
            {.min = 0});
  flags.Add("traces", &settings->traces, "Traces that get_trace and search read.", {.min = 1});
  flags.Add("first_read", &settings->first_read, "The first of them that is read.", {.min = 0});
  flags.Add("filter", &settings->filter,
            "What search asks for; {session} and {user} are those of one of the traces.");
  flags.Add("judged_bytes", &settings->judged_bytes, "Length of each judged text, at least.",
            {.min = 0, .max = 1 << 20});
  flags.Add("calls", &settings->calls,
            "Ends after so many calls, if the time does not; 0: no bound.", {.min = 0});
  flags.Add("warm_up_seconds", &settings->warm_up_seconds, "Load that is not measured, at first.",
            {.min = 0, .max = 600});
  flags.Add("seconds", &settings->seconds, "Load that is measured.", {.min = 0.1, .max = 3600});
}

LoadResult Run(const Settings& settings, const Window& window) {
  const auto channels = assay::load::Connect(settings.address, settings.connections);
  if (settings.workload == "judge_stream") {
    return assay::load::RunStreamLoad(channels,
                                      {.streams = settings.streams,
                                       .in_flight = settings.in_flight,
                                       .judged_bytes = static_cast<size_t>(settings.judged_bytes)},
                                      window);
  }
  std::unique_ptr<assay::load::Workload> workload;
  if (settings.workload == "echo") workload = assay::load::MakeEchoWorkload();
  if (settings.workload == "ingest") {
    workload = assay::load::MakeIngestWorkload(static_cast<uint64_t>(settings.seed),
                                               static_cast<uint64_t>(settings.first_batch));
  }
  const assay::load::ReadOptions reads{.seed = static_cast<uint64_t>(settings.seed),
                                       .traces = static_cast<uint64_t>(settings.traces),
                                       .first_read = static_cast<uint64_t>(settings.first_read),
                                       .filter = settings.filter};
  if (settings.workload == "get_trace") workload = assay::load::MakeGetTraceWorkload(reads);
  if (settings.workload == "search") workload = assay::load::MakeSearchWorkload(reads);
  if (settings.workload == "judge")
    workload = assay::load::MakeJudgeWorkload(static_cast<size_t>(settings.judged_bytes));
  return assay::load::RunUnaryLoad(channels, *workload,
                                   {.in_flight = settings.in_flight,
                                    .calls_per_second = settings.rate,
                                    .calls = static_cast<uint64_t>(settings.calls)},
                                   window);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  assay::config::FlagSet flags("generator", "Loads one server and prints what came of it.");
  AddFlags(&settings, flags);
  if (std::optional<int> code = flags.ParseOrExitCode(argc, argv)) return *code;
  const Window window = Window::StartingNow(settings.warm_up_seconds, settings.seconds);
  const LoadResult result = Run(settings, window);
  std::printf("%s\n", result.Json(window).c_str());
  return result.answers() > 0 ? 0 : 1;
}
