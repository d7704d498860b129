#include "common/rpc/self_ping.h"

#include <utility>

#include "common/rpc/channel.h"
#include "common/rpc/health_client.h"

namespace assay::rpc {

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
    const uint64_t now = calls_begun_();
    // Others keep the threads awake. An answer is not needed: that something happens is.
    if (std::exchange(seen, now) == now) (void)CheckHealth(channel_, "", absl::Seconds(1));
  }
}

}  // namespace assay::rpc
