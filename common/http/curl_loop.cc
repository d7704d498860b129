#include "common/http/curl_loop.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace assay::http {
namespace {

constexpr uint64_t kBell = ~uint64_t{0};
constexpr int kPreferredTransfersPerPool = 256;
constexpr size_t kMaxIdleHandles = 1024;
constexpr int kEventsPerWait = 512;

uint64_t Tag(int pool, int fd) {
  return (static_cast<uint64_t>(pool) << 32) | static_cast<uint32_t>(fd);
}

absl::Status SystemError(const char* what) {
  return MakeError(absl::StatusCode::kInternal, "HTTP_CLIENT_FAILED",
                   absl::StrCat(what, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CurlLoop>> CurlLoop::Start(const Limits& limits, Clock* clock,
                                                          Executor* executor) {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK) {
    return MakeError(absl::StatusCode::kInternal, "HTTP_CLIENT_FAILED",
                     absl::StrCat("libcurl: ", curl_easy_strerror(initialized)));
  }
  std::unique_ptr<CurlLoop> loop(new CurlLoop(clock, executor));
  if (absl::Status opened = loop->Open(limits); !opened.ok()) return opened;
  loop->thread_ = std::thread([raw = loop.get()] { raw->Loop(); });
  return loop;
}

absl::Status CurlLoop::Open(const Limits& limits) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return SystemError("epoll_create1");
  bell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (bell_ < 0) return SystemError("eventfd");
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = kBell}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &event) != 0) return SystemError("epoll_ctl");
  for (int i = 0; i < limits.pools; ++i) {
    auto pool = std::make_unique<Pool>();
    pool->loop = this;
    pool->index = i;
    CURLM* multi = curl_multi_init();
    if (multi == nullptr) return SystemError("curl_multi_init");
    pool->multi = multi;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlLoop::OnSocket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(pool.get()));
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlLoop::OnTimer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(pool.get()));
    auto cap = [](int value) { return static_cast<long>(value); };  // NOLINT: libcurl's type.
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, cap(limits.connections_per_host));
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, cap(limits.connections));
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, cap(limits.connections));
    pools_.push_back(std::move(pool));
  }
  return absl::OkStatus();
}

CurlLoop::~CurlLoop() {
  if (thread_.joinable()) {
    {
      MutexLock lock(&mutex_);
      stopping_ = true;
    }
    Ring();
    thread_.join();
  }
  for (void* handle : idle_handles_) curl_easy_cleanup(handle);
  for (auto& pool : pools_) curl_multi_cleanup(pool->multi);
  if (bell_ >= 0) close(bell_);
  if (epoll_ >= 0) close(epoll_);
}

void CurlLoop::Add(std::unique_ptr<CurlTransfer> transfer) {
  {
    MutexLock lock(&mutex_);
    transfer->id = next_id_++;
  }
  if (transfer->context().cancel != nullptr) {
    // May run at once, before the loop knows the id: that case is found in Begin.
    transfer->on_cancel =
        transfer->context().cancel->OnCancel([this, id = transfer->id] { RequestCancel(id); });
  }
  bool ring = false;
  {
    MutexLock lock(&mutex_);
    arriving_.push_back(std::move(transfer));
    ring = !std::exchange(rung_, true);
  }
  if (ring) Ring();
}

void CurlLoop::RequestCancel(uint64_t id) {
  bool ring = false;
  {
    MutexLock lock(&mutex_);
    cancelled_.push_back(id);
    ring = !std::exchange(rung_, true);
  }
  if (ring) Ring();
}

void CurlLoop::Ring() {
  const uint64_t one = 1;
  // The only failure is a full counter, and then it is ringing already.
  [[maybe_unused]] const ssize_t written = write(bell_, &one, sizeof(one));
}

int CurlLoop::OnSocket(void* easy, int fd, int what, void* pool_data, void* known) {
  auto* pool = static_cast<Pool*>(pool_data);
  const int epoll = pool->loop->epoll_;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event = {.data = {.u64 = Tag(pool->index, fd)}};
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) event.events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) event.events |= EPOLLOUT;
  if (known != nullptr) {
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
    return 0;
  }
  curl_multi_assign(pool->multi, fd, pool);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST) {
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  }
  return 0;
}

int CurlLoop::OnTimer(void* multi, long milliseconds, void* pool_data) {  // NOLINT: libcurl's type.
  auto* pool = static_cast<Pool*>(pool_data);
  if (milliseconds < 0) {
    pool->wake_at.reset();
  } else {
    pool->wake_at = Steady::now() + std::chrono::milliseconds(milliseconds);
  }
  return 0;
}

void CurlLoop::Loop() {
  while (!stopped_) {
    WaitAndDispatch();
    TakeMail();
    RunTimers();  // Last: what has just arrived is due at once.
    for (auto& pool : pools_) {
      if (std::exchange(pool->touched, false)) Reap(*pool);
    }
  }
  while (!running_.empty()) {
    std::unique_ptr<CurlTransfer> transfer = std::move(running_.begin()->second);
    running_.erase(running_.begin());
    End(std::move(transfer),
        MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the HTTP client was shut down"));
  }
}

void CurlLoop::WaitAndDispatch() {
  int timeout = -1;
  const Steady::time_point now = Steady::now();
  for (const auto& pool : pools_) {
    if (!pool->wake_at.has_value()) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*pool->wake_at - now).count();
    const int bounded = static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
    timeout = timeout < 0 ? bounded : std::min(timeout, bounded);
  }
  std::array<epoll_event, kEventsPerWait> events;
  const int count = epoll_wait(epoll_, events.data(), kEventsPerWait, timeout);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kBell) {
      uint64_t rings = 0;
      [[maybe_unused]] const ssize_t got = read(bell_, &rings, sizeof(rings));
      continue;
    }
    Pool& pool = *pools_[events[i].data.u64 >> 32];
    const int fd = static_cast<int>(events[i].data.u64 & 0xffffffffU);
    int mask = 0;
    if (events[i].events & EPOLLIN) mask |= CURL_CSELECT_IN;
    if (events[i].events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
    if (events[i].events & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(pool.multi, fd, mask, &running);
    pool.touched = true;
  }
}

void CurlLoop::RunTimers() {
  const Steady::time_point now = Steady::now();
  for (auto& pool : pools_) {
    if (!pool->wake_at.has_value() || *pool->wake_at > now) continue;
    pool->wake_at.reset();
    int running = 0;
    curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    pool->touched = true;
  }
}

void CurlLoop::TakeMail() {
  std::vector<std::unique_ptr<CurlTransfer>> arriving;
  std::vector<uint64_t> cancelled;
  {
    MutexLock lock(&mutex_);
    arriving.swap(arriving_);
    cancelled.swap(cancelled_);
    rung_ = false;
    stopped_ = stopping_;
  }
  for (auto& transfer : arriving) Begin(std::move(transfer));
  for (uint64_t id : cancelled) Cancel(id);
}

void CurlLoop::Begin(std::unique_ptr<CurlTransfer> transfer) {
  const absl::Time now = clock_->Now();
  if (transfer->context().Cancelled()) {
    return Answer(std::move(transfer), MakeError(absl::StatusCode::kCancelled, "CANCELLED",
                                                 "cancelled before it was sent"));
  }
  const absl::Duration timeout =
      std::min(transfer->request().timeout, transfer->context().Remaining(now));
  if (timeout <= absl::ZeroDuration()) {
    return Answer(std::move(transfer),
                  MakeError(absl::StatusCode::kDeadlineExceeded, "HTTP_TIMEOUT",
                            "the deadline had passed before the request was sent"));
  }
  void* easy = TakeHandle();
  if (easy == nullptr) {
    return Answer(std::move(transfer), MakeError(absl::StatusCode::kResourceExhausted,
                                                 "OUT_OF_MEMORY", "no memory for a request"));
  }
  transfer->Configure(easy, timeout);
  Pool& pool = ChoosePool();
  transfer->pool = pool.index;
  ++pool.transfers;
  pool.touched = true;
  // Only schedules a timer: libcurl starts it in RunTimers.
  const CURLMcode added = curl_multi_add_handle(pool.multi, easy);
  if (added != CURLM_OK) {
    return End(std::move(transfer), MakeError(absl::StatusCode::kInternal, "HTTP_CLIENT_FAILED",
                                              curl_multi_strerror(added)));
  }
  const uint64_t id = transfer->id;
  running_.emplace(id, std::move(transfer));
}

void CurlLoop::Cancel(uint64_t id) {
  auto found = running_.find(id);
  if (found == running_.end()) return;
  std::unique_ptr<CurlTransfer> transfer = std::move(found->second);
  running_.erase(found);
  End(std::move(transfer),
      MakeError(absl::StatusCode::kCancelled, "CANCELLED", "cancelled while in flight"));
}

void CurlLoop::Reap(Pool& pool) {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(pool.multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    const CURLcode code = message->data.result;  // `message` does not survive the removal.
    auto found = running_.find(reinterpret_cast<CurlTransfer*>(self)->id);
    std::unique_ptr<CurlTransfer> transfer = std::move(found->second);
    running_.erase(found);
    absl::StatusOr<HttpResponse> answer = transfer->Finish(code);
    End(std::move(transfer), std::move(answer));
  }
}

void CurlLoop::End(std::unique_ptr<CurlTransfer> transfer, absl::StatusOr<HttpResponse> answer) {
  Pool& pool = *pools_[transfer->pool];
  --pool.transfers;
  curl_multi_remove_handle(pool.multi, transfer->easy());
  if (idle_handles_.size() < kMaxIdleHandles) {
    curl_easy_reset(transfer->easy());
    idle_handles_.push_back(transfer->easy());
  } else {
    curl_easy_cleanup(transfer->easy());
  }
  Answer(std::move(transfer), std::move(answer));
}

void CurlLoop::Answer(std::unique_ptr<CurlTransfer> transfer, absl::StatusOr<HttpResponse> answer) {
  Done<HttpResponse> done = transfer->TakeDone();
  transfer.reset();  // No cancellation can refer to it any more.
  executor_->Run([done = std::move(done), answer = std::move(answer)]() mutable {
    std::move(done)(std::move(answer));
  });
}

CurlLoop::Pool& CurlLoop::ChoosePool() {
  Pool* least = pools_.front().get();
  for (auto& pool : pools_) {
    if (pool->transfers < kPreferredTransfersPerPool) return *pool;
    if (pool->transfers < least->transfers) least = pool.get();
  }
  return *least;
}

void* CurlLoop::TakeHandle() {
  if (idle_handles_.empty()) return curl_easy_init();
  void* handle = idle_handles_.back();
  idle_handles_.pop_back();
  return handle;
}

}  // namespace assay::http
