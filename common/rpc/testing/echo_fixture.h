// EchoService behind a real server, and a client of it.
#ifndef ASSAY_COMMON_RPC_TESTING_ECHO_FIXTURE_H_
#define ASSAY_COMMON_RPC_TESTING_ECHO_FIXTURE_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/exec/executor.h"
#include "common/rpc/metrics.h"
#include "common/rpc/runtime.h"
#include "common/rpc/status_conversion.h"
#include "common/rpc/testing/echo_service.h"
#include "common/rpc/testing/test_server.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"
#include "gtest/gtest.h"

namespace assay::rpc {

// Long enough for anything that will happen.
inline constexpr absl::Duration kSoon = absl::Seconds(20);

// Holds back tasks until the test lets them run. Thread-safe.
class HeldExecutor final : public Executor {
 public:
  void Run(Task task) override {
    held_.Run(std::move(task));
    MutexLock lock(&mutex_);
    ++arrived_;
    changed_.SignalAll();
  }
  // Until `count` tasks have come in all.
  void WaitForTasks(int count) {
    MutexLock lock(&mutex_);
    while (arrived_ < count) changed_.Wait(&mutex_);
  }
  size_t RunAll() { return held_.RunAll(); }

 private:
  ManualExecutor held_;
  Mutex mutex_;
  CondVar changed_;
  int arrived_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A call under way, started through the callback API so that the test goes on.
struct PendingEcho {
  ~PendingEcho() {
    if (begun) ended.Wait();
  }

  bool begun = false;
  grpc::ClientContext context;
  echo::v1::EchoRequest request;
  echo::v1::EchoResponse response;
  grpc::Status status;
  Notification ended;

  absl::Status Wait() {
    if (!ended.WaitFor(kSoon)) return absl::InternalError("the call did not end in time");
    return FromGrpcStatus(status);
  }
};

class EchoFixture : public ::testing::Test {
 protected:
  EchoFixture() {
    runtime_options_.service = "echo";
    runtime_options_.executor = &pool_;
    runtime_options_.metrics = &metrics_;
  }
  ~EchoFixture() override {
    stub_.reset();
    server_.reset();
    pool_.Shutdown();
  }

  // First half: the service's handlers may be set after it.
  EchoService& Make() {
    runtime_ = std::make_unique<Runtime>(runtime_options_);
    service_ = std::make_unique<EchoService>(runtime_.get());
    return *service_;
  }

  void Start(ServerOptions options = TestServer::QuickOptions()) {
    if (service_ == nullptr) Make();
    server_ = std::make_unique<TestServer>(
        std::vector<ServedService>{{echo::v1::EchoService::service_full_name(), service_.get()}},
        runtime_.get(), std::move(options));
    stub_ = echo::v1::EchoService::NewStub(server_->channel());
  }

  // A call that is waited for.
  absl::Status Echo(const std::string& text, echo::v1::EchoResponse* response = nullptr) {
    std::unique_ptr<PendingEcho> pending = BeginEcho(text);
    absl::Status status = pending->Wait();
    if (response != nullptr) *response = pending->response;
    return status;
  }

  std::unique_ptr<PendingEcho> BeginEcho(const std::string& text) {
    auto pending = std::make_unique<PendingEcho>();
    pending->request.set_text(text);
    Begin(pending.get());
    return pending;
  }

  void Begin(PendingEcho* pending) {
    pending->begun = true;
    stub_->async()->Echo(&pending->context, &pending->request, &pending->response,
                         [pending](grpc::Status status) {
                           pending->status = std::move(status);
                           pending->ended.Notify();
                         });
  }

  ThreadPool pool_{"handlers", 3};
  Metrics metrics_;
  RuntimeOptions runtime_options_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<EchoService> service_;
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<echo::v1::EchoService::Stub> stub_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_TESTING_ECHO_FIXTURE_H_
