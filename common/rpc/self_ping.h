// Keeps gRPC's threads awake by asking one's own health while nobody else calls.
#ifndef ASSAY_COMMON_RPC_SELF_PING_H_
#define ASSAY_COMMON_RPC_SELF_PING_H_

#include <grpcpp/channel.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"

namespace assay::rpc {

// One thread; stops when destroyed.
class SelfPing {
 public:
  // Calls `address` each `interval` in which `calls_begun` did not change, unless another object of
  // this process has called, or seen calls, within it.
  SelfPing(const std::string& address, absl::Duration interval,
           std::function<uint64_t()> calls_begun);
  ~SelfPing();

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);

  const absl::Duration interval_;
  const std::function<uint64_t()> calls_begun_;
  std::shared_ptr<grpc::Channel> channel_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_SELF_PING_H_
