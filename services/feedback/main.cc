#include "common/rpc/process.h"
#include "services/feedback/server.h"

int main(int argc, char** argv) {
  assay::feedback::Options options;
  return assay::rpc::RunProcess(
      argc, argv,
      {.name = "feedback",
       .about = "Keeps what people, judges and programs say about traces.",
       .add_flags =
           [&](assay::config::FlagSet& flags) { assay::feedback::AddFlags(&options, flags); },
       .start =
           [&](const assay::rpc::ProcessContext& process) {
             return assay::feedback::FeedbackServer::Start(options, process.metrics);
           }});
}
