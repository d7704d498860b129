#include "common/rpc/process.h"
#include "services/trace/server.h"

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
