#include "common/rpc/testing/test_server.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/rpc/channel.h"

namespace assay::rpc {

ServerOptions TestServer::QuickOptions() {
  ServerOptions options;
  options.name = "test";
  options.self_ping = false;
  options.grace = absl::ZeroDuration();
  return options;
}

TestServer::TestServer(std::vector<ServedService> services, Runtime* runtime,
                       ServerOptions options) {
  auto server = Server::Start(std::move(options), std::move(services), runtime);
  if (!server.ok()) {
    std::fprintf(stderr, "the test server did not start: %s\n", server.status().ToString().c_str());
    std::abort();
  }
  server_ = *std::move(server);
  channel_ = MakeChannel(server_->address());
}

}  // namespace assay::rpc
