#include "common/rpc/process.h"
#include "services/alignment/server.h"

int main(int argc, char** argv) {
  assay::alignment::Options options;
  return assay::rpc::RunProcess(
      argc, argv,
      {.name = "alignment",
       .about = "Makes judges agree with people, and measures it on labels they have not seen.",
       .add_flags =
           [&](assay::config::FlagSet& flags) {
             assay::alignment::AddFlags(&options, flags);
             assay::alignment::AddPeerFlags(&options, flags);
           },
       .start =
           [&](const assay::rpc::ProcessContext& process) {
             return assay::alignment::AlignmentServer::Start(options, process.metrics);
           }});
}
