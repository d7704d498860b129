#include "common/rpc/process.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "common/exec/executor.h"
#include "common/rpc/runtime.h"
#include "common/rpc/testing/echo_service.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// A service in a process of its own. This process must not use gRPC, so that it may fork.
class EchoServer final : public RunningService {
 public:
  static absl::StatusOr<std::unique_ptr<RunningService>> Start(const ServiceFlags& flags,
                                                               Metrics* metrics) {
    auto echo = std::make_unique<EchoServer>(metrics);
    auto server = Server::Start(ToServerOptions("echo", flags),
                                {{echo::v1::EchoService::service_full_name(), &echo->service_}},
                                &echo->runtime_);
    if (!server.ok()) return server.status();
    echo->server_ = *std::move(server);
    return echo;
  }
  explicit EchoServer(Metrics* metrics)
      : runtime_({.service = "echo", .executor = &pool_, .metrics = metrics}) {}

  std::vector<std::pair<std::string, std::string>> Endpoints() const override {
    return {{"grpc", server_->address()}};
  }
  void Drain() override { server_->Drain(); }

 private:
  ThreadPool pool_{"handlers", 1};
  Runtime runtime_;
  EchoService service_{&runtime_};
  std::unique_ptr<Server> server_;
};

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() {
    std::string path = StrCat(std::string(std::getenv("TEST_TMPDIR")), "/process_XXXXXX");
    directory_ = ::mkdtemp(path.data());
    inotify_ = ::inotify_init1(IN_CLOEXEC);
    ::inotify_add_watch(inotify_, directory_.c_str(), IN_MOVED_TO);
  }
  ~ProcessTest() override { ::close(inotify_); }

  std::string PortFile() const { return StrCat(directory_, "/ports.json"); }

  pid_t Fork(std::vector<std::string> arguments) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    arguments.insert(arguments.begin(), "assay-echo");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    ServiceFlags flags;
    ::_exit(RunProcess(
        static_cast<int>(argv.size()), argv.data(),
        {.name = "echo",
         .about = "Answers.",
         .add_flags = [&](config::FlagSet& set) { AddServiceFlags("127.0.0.1:0", &flags, set); },
         .start =
             [&](const ProcessContext& process) {
               return EchoServer::Start(flags, process.metrics);
             }}));
  }

  // Blocks until the port file is there; returns what is in it.
  std::string AwaitPortFile() {
    char buffer[4096];
    EXPECT_GT(::read(inotify_, buffer, sizeof(buffer)), 0);
    std::ifstream file(PortFile());
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  static int ExitCode(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static bool Connects(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected =
        ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    ::close(fd);
    return connected;
  }

  static int PortAfter(const std::string& text, const std::string& before) {
    const size_t start = text.find(before);
    return start == std::string::npos ? 0 : std::atoi(text.c_str() + start + before.size());
  }

  std::string directory_;
  int inotify_ = -1;
};

TEST_F(ProcessTest, ServesUntilSigterm) {
  const pid_t child = Fork({StrCat("--port_file=", PortFile()), "--metrics_address=127.0.0.1:0"});
  const std::string ports = AwaitPortFile();
  EXPECT_THAT(ports, MatchesRegex("\\{\"name\":\"echo\",\"grpc\":\"127.0.0.1:[0-9]+\","
                                  "\"metrics\":\"127.0.0.1:[0-9]+\"\\}\n"));
  EXPECT_TRUE(Connects(PortAfter(ports, "\"grpc\":\"127.0.0.1:")));
  EXPECT_TRUE(Connects(PortAfter(ports, "\"metrics\":\"127.0.0.1:")));
  ::kill(child, SIGTERM);
  EXPECT_EQ(ExitCode(child), 0);
  EXPECT_FALSE(Connects(PortAfter(ports, "\"grpc\":\"127.0.0.1:")));
}

TEST_F(ProcessTest, ServesUntilSigint) {
  const pid_t child = Fork({StrCat("--port_file=", PortFile()), "--log_format=json"});
  AwaitPortFile();
  ::kill(child, SIGINT);
  EXPECT_EQ(ExitCode(child), 0);
}

TEST_F(ProcessTest, FailsWhenTheServiceDoesNotStart) {
  EXPECT_EQ(ExitCode(Fork({"--listen_address=0.0.0.0:0"})), 1);
  EXPECT_EQ(ExitCode(Fork({"--listen_address=nonsense"})), 1);
}

TEST_F(ProcessTest, FailsWhenThePortFileCannotBeWritten) {
  EXPECT_EQ(ExitCode(Fork({StrCat("--port_file=", directory_, "/missing/ports.json")})), 1);
}

TEST_F(ProcessTest, RefusesFlagsItDoesNotKnow) {
  EXPECT_EQ(ExitCode(Fork({"--nonsense=1"})), 2);
  EXPECT_EQ(ExitCode(Fork({"--log_level=loud"})), 2);
  EXPECT_EQ(ExitCode(Fork({"--max_message_bytes=1"})), 2);
}

TEST_F(ProcessTest, HelpEndsWell) { EXPECT_EQ(ExitCode(Fork({"--help"})), 0); }

}  // namespace
}  // namespace assay::rpc
