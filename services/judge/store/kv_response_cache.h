// The response cache on a key-value store.
#ifndef ASSAY_SERVICES_JUDGE_STORE_KV_RESPONSE_CACHE_H_
#define ASSAY_SERVICES_JUDGE_STORE_KV_RESPONSE_CACHE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "services/judge/core/cache/response_cache.h"

namespace assay::judge {

// Entries are gathered in memory and written together every half a second, so that no answer waits
// for a write of its own; a crash loses those. They expire after `ttl`. Above `max_bytes` those of
// the oldest hour go first. Thread-safe.
class KvResponseCache final : public ResponseCache {
 public:
  struct Options {
    absl::Duration ttl = absl::Hours(24);
    int64_t max_bytes = int64_t{1} << 30;
    int64_t max_entry_bytes = int64_t{1} << 20;      // Larger answers are not kept.
    int64_t max_unwritten_bytes = int64_t{8} << 20;  // Beyond it answers are not kept.
    absl::Duration write_interval = absl::Milliseconds(500);
  };

  // All outlive it and its writes.
  KvResponseCache(kv::Store& store, Executor& executor, TimerQueue& timers, Clock& clock,
                  const Options& options);
  ~KvResponseCache() override;

  std::optional<ModelResponse> Find(const std::string& key) override;
  void Keep(const std::string& key, const ModelResponse& response) override;

  // Writes what is unwritten; blocks. For the end of the process.
  void FlushAndWait();

  // What is stored, as far as this object knows.
  int64_t bytes() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_STORE_KV_RESPONSE_CACHE_H_
