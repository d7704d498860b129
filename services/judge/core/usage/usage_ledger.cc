#include "services/judge/core/usage/usage_ledger.h"

#include <string>
#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "common/sync/mutex.h"

namespace assay::judge {
namespace {

// Names as they are used most: no copies are made to find one.
using KeyView = std::tuple<std::string_view, int64_t, std::string_view, std::string_view>;

KeyView ViewOf(const UsageKey& key) { return {key.experiment, key.day, key.judge, key.model}; }
KeyView ViewOf(const KeyView& view) { return view; }

struct KeyHash {
  using is_transparent = void;
  template <class Key>
  size_t operator()(const Key& key) const {
    const auto [experiment, day, judge, model] = ViewOf(key);
    const std::hash<std::string_view> hash;
    return absl::HashOf(hash(experiment), day, hash(judge), hash(model));
  }
};

struct KeyEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return ViewOf(a) == ViewOf(b);
  }
};

using Sums = absl::flat_hash_map<UsageKey, UsageCounts, KeyHash, KeyEqual>;

std::string_view IdOf(std::string_view experiment) {
  constexpr std::string_view kPrefix = "experiments/";
  if (experiment.starts_with(kPrefix)) experiment.remove_prefix(kPrefix.size());
  return experiment;
}

// Keys have a bound, and names come from users.
std::string_view Bounded(std::string_view name) { return name.substr(0, 500); }

}  // namespace

struct UsageLedger::State : std::enable_shared_from_this<State> {
  State(UsageStore& store, TimerQueue& timers, Clock& clock, absl::Duration interval)
      : store(store), timers(timers), clock(clock), interval(interval) {}

  void Plan() {
    timers.RunAfter(interval, [weak = weak_from_this()] {
      if (std::shared_ptr<State> state = weak.lock()) state->Flush([](const absl::Status&) {});
    });
  }

  void Flush(DoneStatus done) ABSL_LOCKS_EXCLUDED(mutex) {
    std::vector<std::pair<UsageKey, UsageCounts>> usage;
    {
      MutexLock lock(&mutex);
      planned = false;
      usage.reserve(sums.size());
      for (const auto& [key, counts] : sums) usage.emplace_back(key, counts);
      sums.clear();
    }
    if (usage.empty()) return std::move(done)(absl::OkStatus());
    store.Add(usage, [state = shared_from_this(), usage,
                      done = std::move(done)](absl::Status status) mutable {
      if (!status.ok()) state->PutBack(usage);
      std::move(done)(std::move(status));
    });
  }

  void PutBack(const std::vector<std::pair<UsageKey, UsageCounts>>& usage)
      ABSL_LOCKS_EXCLUDED(mutex) {
    bool plan = false;
    {
      MutexLock lock(&mutex);
      for (const auto& [key, counts] : usage) sums[key].Add(counts);
      plan = !std::exchange(planned, true);
    }
    if (plan) Plan();
  }

  UsageStore& store;
  TimerQueue& timers;
  Clock& clock;
  const absl::Duration interval;
  Mutex mutex;
  Sums sums ABSL_GUARDED_BY(mutex);
  bool planned ABSL_GUARDED_BY(mutex) = false;
};

UsageLedger::UsageLedger(UsageStore& store, TimerQueue& timers, Clock& clock,
                         absl::Duration interval)
    : state_(std::make_shared<State>(store, timers, clock, interval)) {}

UsageLedger::~UsageLedger() = default;

void UsageLedger::Add(const ModelAccount& account, std::string_view model_uri,
                      const UsageCounts& counts) {
  const KeyView view = {Bounded(IdOf(account.experiment)), UsageDay(state_->clock.Now()),
                        Bounded(account.judge), Bounded(model_uri)};
  bool plan = false;
  {
    MutexLock lock(&state_->mutex);
    auto found = state_->sums.find(view);
    if (found == state_->sums.end()) {
      const auto& [experiment, day, judge, model] = view;
      found = state_->sums
                  .emplace(UsageKey{std::string(experiment), day, std::string(judge),
                                    std::string(model)},
                           UsageCounts{})
                  .first;
    }
    found->second.Add(counts);
    plan = !std::exchange(state_->planned, true);
  }
  if (plan) state_->Plan();
}

void UsageLedger::Flush(DoneStatus done) { state_->Flush(std::move(done)); }

}  // namespace assay::judge
