// EchoService on the runtime that every service of Assay stands on, as a process.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/exec/executor.h"
#include "common/rpc/process.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/rpc/testing/echo_service.h"

namespace assay::load {
namespace {

constexpr int kThreads = 4;  // As the services have for their handlers.

class EchoServer final : public rpc::RunningService {
 public:
  static absl::StatusOr<std::unique_ptr<rpc::RunningService>> Start(const rpc::ServiceFlags& flags,
                                                                    rpc::Metrics* metrics) {
    auto echo = std::make_unique<EchoServer>(metrics);
    auto server = rpc::Server::Start(
        rpc::ToServerOptions("echo", flags),
        {{echo::v1::EchoService::service_full_name(), &echo->service_}}, &echo->runtime_);
    if (!server.ok()) return server.status();
    echo->server_ = *std::move(server);
    return echo;
  }

  explicit EchoServer(rpc::Metrics* metrics)
      : runtime_({.service = "echo", .executor = &pool_, .metrics = metrics}) {}

  std::vector<std::pair<std::string, std::string>> Endpoints() const override {
    return {{"grpc", server_->address()}};
  }
  void Drain() override { server_->Drain(); }

 private:
  ThreadPool pool_{"handlers", kThreads};
  rpc::Runtime runtime_;
  rpc::EchoService service_{&runtime_};
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace
}  // namespace assay::load

int main(int argc, char** argv) {
  assay::rpc::ServiceFlags flags;
  return assay::rpc::RunProcess(argc, argv,
                                {.name = "echo",
                                 .about = "Answers with what it got.",
                                 .add_flags =
                                     [&](assay::config::FlagSet& set) {
                                       assay::rpc::AddServiceFlags("127.0.0.1:0", &flags, set);
                                     },
                                 .start =
                                     [&](const assay::rpc::ProcessContext& process) {
                                       return assay::load::EchoServer::Start(flags,
                                                                             process.metrics);
                                     }});
}
