// Which calls are being served: to end long streams when draining, and to name what hangs.
#ifndef ASSAY_COMMON_RPC_LIVE_CALLS_H_
#define ASSAY_COMMON_RPC_LIVE_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"

namespace assay::rpc {

// Thread-safe.
class LiveCalls {
 public:
  // Ends one stream with a status; harmless after the stream has ended.
  using EndStream = std::function<void(const absl::Status&)>;

  struct Call {
    std::string method;
    absl::Time started;
  };

  uint64_t Add(std::string_view method, absl::Time started) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_);
  // False if streams are no longer welcome; the caller then ends its stream itself.
  bool SetEndStream(uint64_t id, EndStream end) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends every stream, and makes SetEndStream refuse from now on.
  void EndStreams(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  // Oldest first.
  std::vector<Call> List() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);
  bool draining() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    Call call;
    EndStream end;
  };

  mutable Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<uint64_t, Entry> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_LIVE_CALLS_H_
