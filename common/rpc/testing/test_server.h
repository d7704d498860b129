// A real server on a free loopback port, for tests of adapters and clients.
//
//   ThreadPool pool("handlers", 4);
//   Runtime runtime({.service = "registry", .executor = &pool});
//   MyService service(&runtime, ...);
//   TestServer server({{MyProtoService::service_full_name(), &service}}, &runtime);
//   auto stub = MyProtoService::NewStub(server.channel());
#ifndef ASSAY_COMMON_RPC_TESTING_TEST_SERVER_H_
#define ASSAY_COMMON_RPC_TESTING_TEST_SERVER_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "common/rpc/server.h"

namespace assay::rpc {

class TestServer {
 public:
  // Fails the test's process if the server does not start. No self-ping, no grace, unless `options`
  // say so.
  TestServer(std::vector<ServedService> services, Runtime* runtime,
             ServerOptions options = QuickOptions());

  static ServerOptions QuickOptions();

  // Connected to the port, one for all.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const std::string& address() const { return server_->address(); }
  Server& server() { return *server_; }

 private:
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_TESTING_TEST_SERVER_H_
