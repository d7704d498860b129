#include "common/rpc/self_ping.h"

#include <atomic>
#include <chrono>
#include <utility>

#include "common/rpc/channel.h"
#include "common/rpc/health_client.h"

namespace assay::rpc {
namespace {

// When one of this process's servers was called last, as far as their pings know; since the start of
// a clock that never jumps. gRPC's threads serve all of them, so one call keeps all awake.
std::atomic<std::chrono::steady_clock::duration> last_call{};

}  // namespace

SelfPing::SelfPing(const std::string& address, absl::Duration interval,
                   std::function<uint64_t()> calls_begun)
    : interval_(interval),
      calls_begun_(std::move(calls_begun)),
      channel_(MakeChannel(address)),
      thread_([this] { Loop(); }) {}

SelfPing::~SelfPing() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.SignalAll();
  }
  thread_.join();
}

void SelfPing::Loop() {
  uint64_t seen = calls_begun_();
  while (true) {
    {
      MutexLock lock(&mutex_);
      if (!stopping_) wake_.WaitFor(&mutex_, interval_);
      if (stopping_) return;
    }
    const uint64_t calls = calls_begun_();
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const bool was_called = std::exchange(seen, calls) != calls;
    if (!was_called && now - last_call.load() < absl::ToChronoNanoseconds(interval_)) continue;
    last_call.store(now);
    // An answer is not needed: that something happens is.
    if (!was_called) (void)CheckHealth(channel_, "", absl::Seconds(1));
  }
}

}  // namespace assay::rpc
