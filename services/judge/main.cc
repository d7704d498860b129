#include "common/rpc/process.h"
#include "services/judge/server.h"

int main(int argc, char** argv) {
  assay::judge::Options options;
  return assay::rpc::RunProcess(
      argc, argv,
      {.name = "judge",
       .about = "Runs judges on traces and rows, evaluates applications, and asks the models.",
       .add_flags = [&](assay::config::FlagSet& flags) { assay::judge::AddFlags(&options, flags); },
       .start =
           [&](const assay::rpc::ProcessContext& process) {
             return assay::judge::JudgeServer::Start(options, process.metrics);
           }});
}
