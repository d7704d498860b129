// Asks a model only what it has not answered yet.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CACHE_CACHED_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CORE_CACHE_CACHED_MODEL_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "services/judge/core/cache/response_cache.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Which requests are answered from the cache.
enum class CacheMode {
  kOff,
  kRepeatable,  // Those that ask for a repeatable answer: temperature 0, or a seed.
  kAll,
};

// Equal requests (cache_key.h) of one experiment that are in flight at the same time share one
// call; each keeps its own deadline and cancellation, and the call goes on as long as anyone waits.
// Answers from the cache, and those of shared calls but for one, have cache_hit, no attempts and no
// tokens. Errors and truncated answers are not kept. Requests that bypass the cache neither look up
// nor share, but their answers are kept. Thread-safe.
class CachedModelClient final : public ModelClient {
 public:
  struct Dependencies {
    Executor* executor;  // For look-ups, which block on storage.
    TimerQueue* timers;
    Clock* clock;
    // Which server and model a URI means; "": its answers are not kept.
    std::function<std::string(std::string_view model_uri)> identity;
    // Hears of each request that was answered for nothing.
    std::function<void(const ModelAccount&, const std::string& model_uri)> on_hit;
  };

  // `inner`, `cache` and what the dependencies point to outlive its calls.
  CachedModelClient(ModelClient& inner, ResponseCache& cache, CacheMode mode,
                    Dependencies dependencies);
  ~CachedModelClient() override;

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override;

 private:
  class Flight;
  struct Shared;
  bool IsCached(const ModelRequest& request) const;

  const std::shared_ptr<Shared> shared_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CACHE_CACHED_MODEL_CLIENT_H_
