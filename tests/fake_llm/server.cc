#include "tests/fake_llm/server.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::fake_llm {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr uint64_t kMaxBodyBytes = uint64_t{64} << 20;
constexpr uint32_t kMaxHeaderBytes = 64 * 1024;

// One client, one request after another. Keeps itself alive by the handlers that wait.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, FakeModel* model)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), model_(model) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    model_->OnConnection(true);
  }
  ~Connection() {
    End(false);
    model_->OnConnection(false);
  }

  void Read() {
    parser_.emplace();
    parser_->body_limit(kMaxBodyBytes);
    parser_->header_limit(kMaxHeaderBytes);
    beast_http::async_read(socket_, buffer_, *parser_,
                           [self = shared_from_this()](error_code error, size_t) {
                             if (!error) self->OnRequest();
                           });
  }

 private:
  void OnRequest() {
    auto& message = parser_->get();
    auto header = [&message](const char* name) { return std::string(message[name]); };
    HttpCall call = {.method = std::string(message.method_string()),
                     .target = std::string(message.target()),
                     .authorization = header("Authorization"),
                     .x_api_key = header("x-api-key"),
                     .idempotency_key = header("Idempotency-Key"),
                     .body = std::move(message.body()),
                     .keep_alive = message.keep_alive()};
    reply_ = model_->Handle(std::move(call));
    if (reply_.delay_ms <= 0) return Write();
    timer_.expires_after(std::chrono::milliseconds(reply_.delay_ms));
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Write();
    });
  }

  void Write() {
    if (ClientIsGone()) return;
    const bool ends =
        reply_.then == PlannedReply::Then::kKeep || reply_.then == PlannedReply::Then::kClose;
    const std::optional<uint64_t> logged = reply_.logged;
    if (ends) End(true);
    if (reply_.bytes.empty()) return AfterWrite();
    asio::async_write(socket_, asio::buffer(reply_.bytes),
                      [self = shared_from_this(), logged](error_code error, size_t) {
                        if (!error) return self->AfterWrite();
                        if (logged.has_value()) self->model_->Failed(*logged);
                      });
  }

  void AfterWrite() {
    switch (reply_.then) {
      case PlannedReply::Then::kKeep:
        return Read();
      case PlannedReply::Then::kClose:
        return Close();
      case PlannedReply::Then::kHang:
        socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code) {});
        return;
      case PlannedReply::Then::kEndless:
        return WriteOn();
    }
  }

  void WriteOn() {
    static const std::string* const chunk = new std::string(64 * 1024, 'x');
    asio::async_write(socket_, asio::buffer(*chunk),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (!error) self->WriteOn();
                      });
  }

  void Close() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  bool ClientIsGone() {
    char byte = 0;
    return recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  void End(bool whole) {
    if (reply_.logged.has_value()) model_->Ended(*reply_.logged, whole);
    reply_.logged.reset();
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  FakeModel* const model_;
  boost::beast::flat_buffer buffer_;
  std::optional<beast_http::request_parser<beast_http::string_body>> parser_;
  PlannedReply reply_;
};

}  // namespace

class FakeLlmServer::Listener {
 public:
  explicit Listener(FakeModel* model) : model_(model) {}
  ~Listener() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::StatusOr<int> Listen(int port) {
    error_code error;
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), static_cast<uint16_t>(port));
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return MakeError(absl::StatusCode::kUnavailable, "CANNOT_LISTEN",
                       StrCat("127.0.0.1:", port, ": ", error.message()));
    }
    const int bound = acceptor_.local_endpoint(error).port();
    Accept();
    thread_ = std::thread([this] { io_.run(); });
    return bound;
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) std::make_shared<Connection>(std::move(socket), model_)->Read();
      if (error != asio::error::no_descriptors) return Accept();
      // Until a connection ends.
      timer_.expires_after(std::chrono::milliseconds(10));
      timer_.async_wait([this](error_code) { Accept(); });
    });
  }

  FakeModel* const model_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer timer_{io_};
  std::thread thread_;
};

FakeLlmServer::FakeLlmServer(Script script) : model_(std::move(script)) {}

absl::StatusOr<std::unique_ptr<FakeLlmServer>> FakeLlmServer::Start(Options options) {
  std::unique_ptr<FakeLlmServer> server(new FakeLlmServer(std::move(options.script)));
  server->listener_ = std::make_unique<Listener>(&server->model_);
  absl::StatusOr<int> port = server->listener_->Listen(options.port);
  if (!port.ok()) return port.status();
  server->port_ = *port;
  return server;
}

FakeLlmServer::~FakeLlmServer() = default;

std::string FakeLlmServer::address() const { return StrCat("127.0.0.1:", port_); }
std::string FakeLlmServer::openai_url() const { return StrCat("http://", address(), "/v1"); }
std::string FakeLlmServer::anthropic_url() const { return StrCat("http://", address()); }

}  // namespace assay::fake_llm
