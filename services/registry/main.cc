#include "common/rpc/process.h"
#include "services/registry/server.h"

int main(int argc, char** argv) {
  assay::registry::Options options;
  return assay::rpc::RunProcess(
      argc, argv,
      {.name = "registry",
       .about = "Keeps experiments, and judges with their revisions and aliases.",
       .add_flags =
           [&](assay::config::FlagSet& flags) { assay::registry::AddFlags(&options, flags); },
       .start =
           [&](const assay::rpc::ProcessContext& process) {
             return assay::registry::RegistryServer::Start(options, process.metrics);
           }});
}
