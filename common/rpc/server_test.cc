#include "common/rpc/server.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <atomic>
#include <string>
#include <thread>

#include "common/rpc/channel.h"
#include "common/rpc/health_client.h"
#include "common/rpc/listen_address.h"
#include "common/rpc/self_ping.h"
#include "common/rpc/testing/echo_fixture.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using ::testing::HasSubstr;

using EchoRequest = EchoService::EchoRequest;
using EchoResponse = EchoService::EchoResponse;
using Echo = echo::v1::EchoService;

class ServerTest : public EchoFixture {
 protected:
  absl::StatusOr<Health> HealthOf(const std::string& service) {
    return CheckHealth(server_->channel(), service, kSoon);
  }

  // What the server says to a reflection call with an empty request stream.
  grpc::StatusCode ReflectionCode() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    const grpc::Slice slice("");
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    Notification ended;
    grpc::Status status;
    grpc::GenericStub stub(server_->channel());
    stub.UnaryCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   grpc::StubOptions(), &request, &response, [&](grpc::Status result) {
                     status = std::move(result);
                     ended.Notify();
                   });
    ended.Wait();
    return status.error_code();
  }
};

TEST_F(ServerTest, ListensOnAPortOfItsChoice) {
  Start();
  EXPECT_GT(server_->server().port(), 0);
  EXPECT_EQ(server_->address(), StrCat("127.0.0.1:", server_->server().port()));
}

TEST_F(ServerTest, RefusesAPortThatIsTaken) {
  Start();
  ServerOptions options = TestServer::QuickOptions();
  options.listen_address = server_->address();
  EXPECT_THAT(Server::Start(options, {}, nullptr), HasReason("LISTEN_FAILED"));
}

TEST_F(ServerTest, RefusesOtherThanLoopbackUnlessAllowed) {
  ServerOptions options = TestServer::QuickOptions();
  options.listen_address = "0.0.0.0:0";
  EXPECT_THAT(Server::Start(options, {}, nullptr), HasReason("NON_LOOPBACK_ADDRESS"));
  options.allow_non_loopback = true;
  Start(options);
  EXPECT_THAT(server_->address(), ::testing::StartsWith("0.0.0.0:"));
}

TEST_F(ServerTest, RefusesSizesOutOfRange) {
  ServerOptions options = TestServer::QuickOptions();
  options.max_message_bytes = kLargestMaxMessageBytes + 1;
  EXPECT_THAT(Server::Start(options, {}, nullptr), HasFieldViolation("max_message_bytes"));
  options.max_message_bytes = 0;
  EXPECT_THAT(Server::Start(options, {}, nullptr), HasFieldViolation("max_message_bytes"));
}

TEST_F(ServerTest, ReportsHealthOfEachService) {
  Start();
  EXPECT_THAT(HealthOf(""), IsOkAndHolds(Health::kServing));
  EXPECT_THAT(HealthOf(Echo::service_full_name()), IsOkAndHolds(Health::kServing));
  EXPECT_THAT(HealthOf("assay.other.v1.OtherService"), StatusIs(absl::StatusCode::kNotFound));
  server_->server().SetServing(Echo::service_full_name(), false);
  EXPECT_THAT(HealthOf(Echo::service_full_name()), IsOkAndHolds(Health::kNotServing));
}

TEST_F(ServerTest, HasNoHealthServiceWhereToldSo) {
  ServerOptions options = TestServer::QuickOptions();
  options.health = false;
  Start(options);
  EXPECT_THAT(HealthOf(""), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_OK(EchoFixture::Echo("x"));
}

TEST_F(ServerTest, ReflectionIsOffByDefault) {
  Start();
  EXPECT_EQ(ReflectionCode(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServerTest, ReflectionIsOnWhenAsked) {
  ServerOptions options = TestServer::QuickOptions();
  options.reflection = true;
  Start(options);
  EXPECT_NE(ReflectionCode(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServerTest, RefusesCompressedMessages) {
  Start();
  PendingEcho pending;
  pending.context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  pending.request.set_text(std::string(100'000, 'x'));
  Begin(&pending);
  EXPECT_THAT(pending.Wait(), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(ServerTest, DrainSaysNotServingWhileItStillServes) {
  ServerOptions options = TestServer::QuickOptions();
  options.grace = kSoon;
  Done<EchoResponse> held;
  Notification begun;
  Make().on_echo = [&](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    held = std::move(done);
    begun.Notify();
  };
  // Long enough for the checks below; the test does not wait for its end.
  options.drain_delay = absl::Milliseconds(300);
  Start(options);
  auto pending = BeginEcho("x");
  ASSERT_TRUE(begun.WaitFor(kSoon));
  std::thread drain([&] { server_->server().Drain(); });
  absl::StatusOr<Health> health = HealthOf("");
  while (health.ok() && *health == Health::kServing) health = HealthOf("");
  EXPECT_THAT(health, IsOkAndHolds(Health::kNotServing));
  EchoResponse response;
  response.set_text("still answered");
  std::move(held)(response);
  EXPECT_OK(pending->Wait());
  EXPECT_EQ(pending->response.text(), "still answered");
  drain.join();
  EXPECT_THAT(EchoFixture::Echo("y"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ServerTest, SecondDrainWaitsForTheFirst) {
  Start();
  std::thread first([&] { server_->server().Drain(); });
  server_->server().Drain();
  first.join();
  EXPECT_THAT(EchoFixture::Echo("x"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ServerTest, WatchdogActsWhenACallDoesNotEnd) {
  ServerOptions options = TestServer::QuickOptions();
  options.hard_limit = absl::Milliseconds(1);
  Done<EchoResponse> held;
  Notification begun;
  Make().on_echo = [&](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    held = std::move(done);
    begun.Notify();
  };
  Notification stuck;
  size_t live = 0;
  options.on_stuck = [&] {
    live = runtime_->live_calls().size();
    stuck.Notify();
    std::move(held)(EchoResponse());
  };
  Start(options);
  auto pending = BeginEcho("x");
  ASSERT_TRUE(begun.WaitFor(kSoon));
  server_->server().Drain();
  EXPECT_TRUE(stuck.HasBeenNotified());
  EXPECT_EQ(live, 1u);
}

TEST_F(ServerTest, SeveralServersServeInOneProcess) {
  Start();
  Runtime other_runtime(runtime_options_);
  EchoService other_service(&other_runtime);
  TestServer other({{Echo::service_full_name(), &other_service}}, &other_runtime);
  EXPECT_OK(EchoFixture::Echo("x"));
  server_->server().Drain();
  auto stub = Echo::NewStub(other.channel());
  grpc::ClientContext context;
  EchoResponse response;
  EXPECT_TRUE(stub->Echo(&context, EchoRequest(), &response).ok());
}

// The port that takes what gRPC must neither inflate nor parse.
class RawEcho final : public Echo::WithRawCallbackMethod_Echo<Echo::Service> {
 public:
  explicit RawEcho(Runtime* runtime) : runtime_(runtime) {}
  std::atomic<size_t> seen_bytes{0};

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override {
    return runtime_->Unary(
        context, "assay.echo.v1.EchoService/Echo", request, response,
        [this](CallContext, const grpc::ByteBuffer& request, Done<grpc::ByteBuffer> done) {
          seen_bytes = request.Length();
          const grpc::Slice slice(std::string("\x0a\x03raw"));
          std::move(done)(grpc::ByteBuffer(&slice, 1));
        });
  }

 private:
  Runtime* const runtime_;
};

TEST_F(ServerTest, RawMethodsGetCompressedBytesAsTheyCame) {
  Runtime runtime(runtime_options_);
  RawEcho service(&runtime);
  ServerOptions options = TestServer::QuickOptions();
  options.accept_compressed = true;
  options.channel_arguments = {{"grpc.per_message_decompression", 0}};
  TestServer server({{Echo::service_full_name(), &service}}, &runtime, options);
  auto stub = Echo::NewStub(server.channel());
  for (const auto algorithm : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    EchoRequest request;
    request.set_text(std::string(100'000, 'x'));
    EchoResponse response;
    const grpc::Status status = stub->Echo(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.text(), "raw");
    EXPECT_EQ(service.seen_bytes > 100'000u, algorithm == GRPC_COMPRESS_NONE);
  }
}

TEST(SelfPingTest, PingsAtEachIntervalUntilItIsDestroyed) {
  std::atomic<int> asked{0};
  Notification several;
  {
    // Nobody listens there, and that must not matter.
    SelfPing ping("127.0.0.1:1", absl::Milliseconds(1), [&] {
      if (++asked == 3) several.Notify();
      return uint64_t{0};
    });
    EXPECT_TRUE(several.WaitFor(kSoon));
  }
  EXPECT_GE(asked, 3);
}

TEST(ListenAddressTest, ReadsHostsAndPorts) {
  EXPECT_EQ(FormatHostPort(*ParseHostPort("127.0.0.1:7401", "f")), "127.0.0.1:7401");
  EXPECT_EQ(FormatHostPort(*ParseHostPort("[::1]:0", "f")), "[::1]:0");
  for (const char* bad :
       {"", "127.0.0.1", ":1", "h:", "h:-1", "h:65536", "h:1x", "::1:5", "[::1:5", "[]:1"}) {
    EXPECT_THAT(ParseHostPort(bad, "listen_address"), HasFieldViolation("listen_address")) << bad;
  }
}

TEST(ListenAddressTest, KnowsLoopback) {
  for (const char* host : {"127.0.0.1", "127.8.8.8", "::1", "localhost"})
    EXPECT_TRUE(IsLoopback(host));
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "127.example.org", "1127.0.0.1"}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

}  // namespace
}  // namespace assay::rpc
