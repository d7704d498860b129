#include "services/judge/core/cache/cached_model_client.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "services/judge/core/cache/cache_key.h"

namespace assay::judge {
namespace {

// The same answer for one more who asked: nothing is paid for it.
ModelResponse ForNothing(const ModelResponse& paid) {
  ModelResponse response = paid;
  response.cache_hit = true;
  response.attempts = 0;
  response.input_tokens = 0;
  response.output_tokens = 0;
  response.cached_input_tokens = 0;
  response.cost_usd = 0;
  response.rate_hints = {};
  return response;
}

absl::Status Late() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT",
                   "the deadline passed while an equal call was under way");
}

absl::Status GivenUp() {
  return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the call was cancelled");
}

}  // namespace

struct CachedModelClient::Shared {
  ModelClient& inner;
  ResponseCache& cache;
  const CacheMode mode;
  const Dependencies dependencies;
  Mutex mutex;
  // By key and experiment: a budget's refusal is no other experiment's answer.
  absl::flat_hash_map<std::string, std::shared_ptr<Flight>> flights ABSL_GUARDED_BY(mutex);

  void Keep(const std::string& key, const absl::StatusOr<ModelResponse>& answer) {
    if (answer.ok() && !answer->truncated && !answer->cache_hit) cache.Keep(key, *answer);
  }
};

// One question, and all who wait for its answer.
class CachedModelClient::Flight : public std::enable_shared_from_this<Flight> {
 public:
  Flight(std::shared_ptr<Shared> shared, std::string key, std::string flight_key,
         ModelRequest request)
      : shared_(std::move(shared)),
        key_(std::move(key)),
        flight_key_(std::move(flight_key)),
        request_(std::move(request)) {}

  // False if the flight has ended. The first one in is asked for.
  bool Join(const CallContext& context, Done<ModelResponse>* done, bool* is_first)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    uint64_t id = 0;
    {
      MutexLock lock(&mutex_);
      if (ended_) return false;
      *is_first = next_id_ == 0;
      id = next_id_++;
      waiters_.emplace(id, Waiter{context, std::move(*done), std::nullopt, {}});
    }
    WatchFor(id, context);
    return true;
  }

  void LookUp() {
    shared_->dependencies.executor->Run([self = shared_from_this()] {
      std::optional<ModelResponse> found = self->shared_->cache.Find(self->key_);
      if (found.has_value()) return self->End(*std::move(found));
      self->Ask();
    });
  }

 private:
  struct Waiter {
    CallContext context;
    Done<ModelResponse> done;
    std::optional<TimerQueue::Id> timer;
    CancellationToken::Registration on_cancel;
  };
  using Waiters = std::map<uint64_t, Waiter>;

  void WatchFor(uint64_t id, const CallContext& context) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::optional<TimerQueue::Id> timer;
    if (context.deadline != absl::InfiniteFuture()) {
      timer = shared_->dependencies.timers->RunAt(context.deadline, [weak = weak_from_this(), id] {
        if (std::shared_ptr<Flight> self = weak.lock()) self->Leave(id, Late());
      });
    }
    CancellationToken::Registration registration;
    if (context.cancel != nullptr) {
      registration = context.cancel->OnCancel([weak = weak_from_this(), id] {
        if (std::shared_ptr<Flight> self = weak.lock()) self->Leave(id, GivenUp());
      });
    }
    {
      MutexLock lock(&mutex_);
      const auto found = waiters_.find(id);
      if (found != waiters_.end()) {
        found->second.timer = std::exchange(timer, std::nullopt);
        std::swap(found->second.on_cancel, registration);
      }
    }
    if (timer.has_value()) shared_->dependencies.timers->Cancel(*timer);
  }

  void Leave(uint64_t id, absl::Status why) ABSL_LOCKS_EXCLUDED(mutex_) {
    Waiters left;
    std::shared_ptr<CancellationToken> call;
    {
      MutexLock lock(&mutex_);
      const auto found = waiters_.find(id);
      if (found == waiters_.end()) return;
      left.insert(waiters_.extract(found));
      if (waiters_.empty()) {
        ended_ = true;
        call = cancel_;
      }
    }
    if (call != nullptr) {
      call->Cancel();
      Forget();
    }
    // On the executor: never inside its own cancellation.
    shared_->dependencies.executor->Run(
        [this_shared = shared_, left = std::move(left), why = std::move(why)]() mutable {
          Answer(*this_shared, std::move(left), std::move(why));
        });
  }

  // Asks for the one who has the most time.
  void Ask() ABSL_LOCKS_EXCLUDED(mutex_) {
    CallContext context;
    {
      MutexLock lock(&mutex_);
      if (waiters_.empty()) {
        ended_ = true;
      } else {
        const auto most =
            std::max_element(waiters_.begin(), waiters_.end(), [](const auto& a, const auto& b) {
              return a.second.context.deadline < b.second.context.deadline;
            });
        context = most->second.context;
        context.cancel = cancel_;
        asked_until_ = context.deadline;
      }
    }
    if (context.cancel == nullptr) return Forget();
    ModelRequest request = request_;
    shared_->inner.Complete(std::move(request), std::move(context),
                            [self = shared_from_this()](absl::StatusOr<ModelResponse> answer) {
                              self->OnAnswer(std::move(answer));
                            });
  }

  void OnAnswer(absl::StatusOr<ModelResponse> answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    shared_->Keep(key_, answer);
    // Others may have more time than the one who was asked for.
    if (answer.status().code() == absl::StatusCode::kDeadlineExceeded && AnyoneHasMoreTime()) {
      return Ask();
    }
    End(std::move(answer));
  }

  bool AnyoneHasMoreTime() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::Time now = shared_->dependencies.clock->Now();
    MutexLock lock(&mutex_);
    if (now < asked_until_) return false;  // It was the provider's time that was over.
    return std::any_of(waiters_.begin(), waiters_.end(),
                       [&](const auto& waiter) { return waiter.second.context.deadline > now; });
  }

  void End(absl::StatusOr<ModelResponse> answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    Waiters waiters;
    {
      MutexLock lock(&mutex_);
      ended_ = true;
      waiters.swap(waiters_);
    }
    Forget();
    Answer(*shared_, std::move(waiters), std::move(answer), &request_);
  }

  // The first one gets the answer as it is; the others owe nothing for it.
  static void Answer(Shared& shared, Waiters waiters, absl::StatusOr<ModelResponse> answer,
                     const ModelRequest* request = nullptr) {
    bool is_first = true;
    for (auto& [id, waiter] : waiters) {
      if (waiter.timer.has_value()) shared.dependencies.timers->Cancel(*waiter.timer);
      waiter.on_cancel = {};
      absl::StatusOr<ModelResponse> own = answer;
      if (own.ok() && !is_first) own = ForNothing(*own);
      if (own.ok() && own->cache_hit && request != nullptr) {
        shared.dependencies.on_hit(request->account, request->model_uri);
      }
      is_first = false;
      std::move(waiter.done)(std::move(own));
    }
  }

  void Forget() {
    MutexLock lock(&shared_->mutex);
    const auto found = shared_->flights.find(flight_key_);
    if (found != shared_->flights.end() && found->second.get() == this) {
      shared_->flights.erase(found);
    }
  }

  const std::shared_ptr<Shared> shared_;
  const std::string key_;
  const std::string flight_key_;
  const ModelRequest request_;
  const std::shared_ptr<CancellationToken> cancel_ = std::make_shared<CancellationToken>();
  Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time asked_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  Waiters waiters_ ABSL_GUARDED_BY(mutex_);
};

CachedModelClient::CachedModelClient(ModelClient& inner, ResponseCache& cache, CacheMode mode,
                                     Dependencies dependencies)
    : shared_(new Shared{inner, cache, mode, std::move(dependencies), {}, {}}) {}

CachedModelClient::~CachedModelClient() {
  // A flight knows what is shared, and that holds the flight: one that is never answered would keep
  // both.
  absl::flat_hash_map<std::string, std::shared_ptr<Flight>> flights;
  MutexLock lock(&shared_->mutex);
  flights.swap(shared_->flights);
}

bool CachedModelClient::IsCached(const ModelRequest& request) const {
  if (shared_->mode == CacheMode::kOff) return false;
  if (shared_->mode == CacheMode::kAll) return true;
  const auto temperature = request.parameters.find("temperature");
  return request.parameters.contains("seed") ||
         (temperature != request.parameters.end() && temperature->second == 0);
}

void CachedModelClient::Complete(ModelRequest request, CallContext context,
                                 Done<ModelResponse> done) {
  std::string identity;
  if (IsCached(request)) identity = shared_->dependencies.identity(request.model_uri);
  if (identity.empty()) {
    return shared_->inner.Complete(std::move(request), std::move(context), std::move(done));
  }
  std::string key = CacheKey(identity, request);
  if (request.bypass_cache) {
    return shared_->inner.Complete(std::move(request), std::move(context),
                                   [shared = shared_, key = std::move(key), done = std::move(done)](
                                       absl::StatusOr<ModelResponse> answer) mutable {
                                     shared->Keep(key, answer);
                                     std::move(done)(std::move(answer));
                                   });
  }
  const std::string flight_key = StrCat(key, request.account.experiment);
  for (;;) {
    std::shared_ptr<Flight> flight;
    {
      MutexLock lock(&shared_->mutex);
      std::shared_ptr<Flight>& slot = shared_->flights[flight_key];
      if (slot == nullptr) {
        slot = std::make_shared<Flight>(shared_, key, flight_key, request);
      }
      flight = slot;
    }
    bool is_first = false;
    if (flight->Join(context, &done, &is_first)) {
      if (is_first) flight->LookUp();
      return;
    }
    // It ended just now, and is about to be forgotten.
    MutexLock lock(&shared_->mutex);
    const auto found = shared_->flights.find(flight_key);
    if (found != shared_->flights.end() && found->second == flight) shared_->flights.erase(found);
  }
}

ModelTraits CachedModelClient::Traits(std::string_view model_uri) const {
  return shared_->inner.Traits(model_uri);
}

}  // namespace assay::judge
