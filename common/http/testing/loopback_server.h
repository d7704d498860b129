// A real but tiny HTTP server on loopback, whose every byte the test decides. For tests.
#ifndef ASSAY_COMMON_HTTP_TESTING_LOOPBACK_SERVER_H_
#define ASSAY_COMMON_HTTP_TESTING_LOOPBACK_SERVER_H_

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"

namespace assay::http {

// One thread a connection. Thread-safe.
class LoopbackServer {
 public:
  struct Reply {
    std::string bytes;     // Head and body, as they go over the wire.
    bool close = false;    // Ends the connection after `bytes`.
    bool hang = false;     // After `bytes`, neither answers nor closes until the client does.
    bool endless = false;  // After `bytes`, repeats "x" until the client closes.
  };
  // Gets head and body of a request; called from the connection's thread.
  using Handler = std::function<Reply(const std::string& request)>;

  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();  // Cuts all connections.
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  // A whole answer with Content-Length.
  static Reply Answer(int status, std::string_view body, std::string_view more_headers = "");

  std::string Url(std::string_view path) const;
  int connections() const ABSL_LOCKS_EXCLUDED(mutex_);  // Accepted so far.
  int requests() const ABSL_LOCKS_EXCLUDED(mutex_);     // Read so far.

  // A port that nothing listens on (it was free a moment ago).
  static int UnusedPort();

 private:
  void AcceptLoop() ABSL_LOCKS_EXCLUDED(mutex_);
  void Serve(int fd) ABSL_LOCKS_EXCLUDED(mutex_);
  // False when the connection is over.
  static bool ReadRequest(int fd, std::string* buffer, std::string* request);
  static bool Write(int fd, std::string_view bytes);

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  mutable Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int requests_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<int> fds_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace assay::http

#endif  // ASSAY_COMMON_HTTP_TESTING_LOOPBACK_SERVER_H_
