#include "common/rpc/process.h"
#include "services/trace/server.h"

// jemalloc's own setting: memory that was given back is kept this long for what comes next. Buffers
// of requests and tables come and go by the second; returning their pages costs more than they hold.
extern "C" const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:30000,muzzy_decay_ms:30000";

int main(int argc, char** argv) {
  assay::trace::Options options;
  return assay::rpc::RunProcess(
      argc, argv,
      {.name = "trace",
       .about = "Receives spans by OpenTelemetry's protocol, keeps traces, and searches them.",
       .add_flags = [&](assay::config::FlagSet& flags) { assay::trace::AddFlags(&options, flags); },
       .start =
           [&](const assay::rpc::ProcessContext& process) {
             return assay::trace::TraceServer::Start(options, process.metrics);
           }});
}
