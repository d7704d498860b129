// The thread that owns libcurl's multi handles. Private to this package.
#ifndef ASSAY_COMMON_HTTP_CURL_LOOP_H_
#define ASSAY_COMMON_HTTP_CURL_LOOP_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/http/curl_transfer.h"
#include "common/sync/mutex.h"

namespace assay::http {

// Other threads only leave work in a list and ring a bell (eventfd); everything that touches
// libcurl happens on the loop's thread. Thread-safe.
class CurlLoop {
 public:
  struct Limits {
    int pools = 1;
    int connections_per_host = 1;  // Of each pool.
    int connections = 1;           // Of each pool.
  };

  static absl::StatusOr<std::unique_ptr<CurlLoop>> Start(const Limits& limits, Clock* clock,
                                                         Executor* executor);
  ~CurlLoop();  // Answers all that is in flight with CANCELLED.
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  void Add(std::unique_ptr<CurlTransfer> transfer) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Steady = std::chrono::steady_clock;

  // A multi handle and what it asked to be woken for.
  struct Pool {
    CurlLoop* loop = nullptr;
    int index = 0;
    void* multi = nullptr;  // CURLM*
    int transfers = 0;
    std::optional<Steady::time_point> wake_at;
    bool touched = false;  // It may have ended transfers.
  };

  CurlLoop(Clock* clock, Executor* executor) : clock_(clock), executor_(executor) {}

  absl::Status Open(const Limits& limits);
  static int OnSocket(void* easy, int fd, int what, void* pool, void* known);
  static int OnTimer(void* multi, long milliseconds, void* pool);  // NOLINT: libcurl's type.

  void RequestCancel(uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Ring();

  // The rest runs on the loop's thread.
  void Loop();
  void WaitAndDispatch();
  void RunTimers();
  void TakeMail() ABSL_LOCKS_EXCLUDED(mutex_);
  void Begin(std::unique_ptr<CurlTransfer> transfer);
  void Cancel(uint64_t id);
  void Reap(Pool& pool);
  // Takes the transfer from its pool and answers it.
  void End(std::unique_ptr<CurlTransfer> transfer, absl::StatusOr<HttpResponse> answer);
  void Answer(std::unique_ptr<CurlTransfer> transfer, absl::StatusOr<HttpResponse> answer);
  Pool& ChoosePool();
  void* TakeHandle();

  Clock* const clock_;
  Executor* const executor_;
  int epoll_ = -1;
  int bell_ = -1;
  std::vector<std::unique_ptr<Pool>> pools_;
  std::vector<void*> idle_handles_;
  std::unordered_map<uint64_t, std::unique_ptr<CurlTransfer>> running_;
  bool stopped_ = false;

  Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::vector<std::unique_ptr<CurlTransfer>> arriving_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> cancelled_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool rung_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace assay::http

#endif  // ASSAY_COMMON_HTTP_CURL_LOOP_H_
