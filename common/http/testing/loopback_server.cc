#include "common/http/testing/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

namespace assay::http {
namespace {

int ListenOnLoopback(int* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || listen(fd, 1024) != 0) {
    std::abort();  // A test without a loopback interface has nothing to say.
  }
  *port = ntohs(address.sin_port);
  return fd;
}

size_t ContentLength(std::string head) {
  for (char& c : head) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const size_t at = head.find("\r\ncontent-length:");
  if (at == std::string::npos) return 0;
  return std::strtoull(head.c_str() + at + sizeof("\r\ncontent-length:") - 1, nullptr, 10);
}

}  // namespace

LoopbackServer::LoopbackServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ListenOnLoopback(&port_);
  acceptor_ = std::thread([this] { AcceptLoop(); });
}

LoopbackServer::~LoopbackServer() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    for (int fd : fds_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  std::vector<std::thread> threads;
  std::vector<int> fds;
  {
    MutexLock lock(&mutex_);
    threads.swap(threads_);
    fds.swap(fds_);
  }
  for (std::thread& thread : threads) thread.join();
  for (int fd : fds) close(fd);
}

LoopbackServer::Reply LoopbackServer::Answer(int status, std::string_view body,
                                             std::string_view more_headers) {
  return {.bytes = "HTTP/1.1 " + std::to_string(status) +
                   " Said\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                   std::string(more_headers) + "\r\n" + std::string(body)};
}

std::string LoopbackServer::Url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

int LoopbackServer::connections() const {
  MutexLock lock(&mutex_);
  return static_cast<int>(fds_.size());
}

int LoopbackServer::requests() const {
  MutexLock lock(&mutex_);
  return requests_;
}

int LoopbackServer::UnusedPort() {
  int port = 0;
  close(ListenOnLoopback(&port));
  return port;
}

void LoopbackServer::AcceptLoop() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    MutexLock lock(&mutex_);
    if (stopping_ || fd < 0) {
      if (fd >= 0) close(fd);
      return;
    }
    fds_.push_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void LoopbackServer::Serve(int fd) {
  std::string buffer;
  std::string request;
  while (ReadRequest(fd, &buffer, &request)) {
    {
      MutexLock lock(&mutex_);
      ++requests_;
    }
    const Reply reply = handler_(request);
    if (!Write(fd, reply.bytes)) break;
    while (reply.endless && Write(fd, std::string(4096, 'x'))) {
    }
    if (reply.hang) ReadRequest(fd, &buffer, &request);
    if (reply.close || reply.hang || reply.endless) break;
  }
  shutdown(fd,
           SHUT_RDWR);  // Closed by the destructor, so that the number is not used again before.
}

bool LoopbackServer::ReadRequest(int fd, std::string* buffer, std::string* request) {
  std::array<char, 16384> chunk;
  while (true) {
    const size_t head_end = buffer->find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const size_t size = head_end + 4 + ContentLength(buffer->substr(0, head_end));
      if (buffer->size() >= size) {
        *request = buffer->substr(0, size);
        buffer->erase(0, size);
        return true;
      }
    }
    const ssize_t got = recv(fd, chunk.data(), chunk.size(), 0);
    if (got <= 0) return false;
    buffer->append(chunk.data(), static_cast<size_t>(got));
  }
}

bool LoopbackServer::Write(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace assay::http
