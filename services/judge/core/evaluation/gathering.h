// Puts what comes at the same time into one call.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_GATHERING_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_GATHERING_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"

namespace assay::judge {

struct GatheringOptions {
  // Of a group, at most; one item may have more bytes.
  size_t max_items = 256;
  size_t max_bytes = size_t{1} << 20;
  // Less than so many items wait for others to come, but no longer than so.
  size_t enough = 1;
  absl::Duration patience = absl::Milliseconds(40);
};

// Where groups are sent from. Both outlive the last group.
struct GatheringPlace {
  Executor& executor;
  TimerQueue& timers;
};

// Hands items on in groups, one group at a time: what comes while a group is under way goes with
// the next one. A group goes when the executor has run what is queued, so that all who were about to
// add something are in it. Thread-safe. What was added is handed on also after the object is gone,
// or the timers are.
template <class Item>
class Gathering {
 public:
  // Runs on the executor. Calls `ended`, once, on any thread, when the next group may go.
  using Send = std::function<void(std::vector<Item> group, Task ended)>;

  Gathering(const GatheringPlace& place, const GatheringOptions& options, Send send)
      : state_(std::make_shared<State>(place, options, std::move(send))) {}

  void Add(Item item, size_t bytes) { state_->Add(std::move(item), bytes); }

 private:
  struct Waiting {
    Item item;
    size_t bytes = 0;
  };

  enum class Phase { kIdle, kWaiting, kSending };

  class State : public std::enable_shared_from_this<State> {
   public:
    State(const GatheringPlace& place, const GatheringOptions& options, Send send)
        : place_(place), options_(options), send_(std::move(send)) {}

    void Add(Item item, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_) {
      {
        MutexLock lock(&mutex_);
        waiting_.push_back({std::move(item), bytes});
      }
      GoOn(Phase::kIdle);
    }

    // Sends what waits, however little it is; unless that was done meanwhile.
    void EndWait(uint64_t wait) ABSL_LOCKS_EXCLUDED(mutex_) {
      {
        MutexLock lock(&mutex_);
        if (phase_ != Phase::kWaiting || wait != waits_) return;
        phase_ = Phase::kSending;
      }
      Schedule();
    }

   private:
    // The timer's task. One that is dropped has come to its end too.
    struct Alarm {
      Alarm(std::shared_ptr<State> state, uint64_t wait) : state(std::move(state)), wait(wait) {}
      Alarm(Alarm&&) noexcept = default;
      Alarm& operator=(Alarm&&) = delete;
      ~Alarm() {
        if (state != nullptr) state->EndWait(wait);
      }
      void operator()() && { std::exchange(state, nullptr)->EndWait(wait); }
      std::shared_ptr<State> state;
      uint64_t wait;
    };

    // Sends a group, or begins to wait for more, if something is there and nothing is under way.
    // `ended`: the phase that has just come to its end.
    void GoOn(Phase ended) ABSL_LOCKS_EXCLUDED(mutex_) {
      uint64_t wait = 0;
      {
        MutexLock lock(&mutex_);
        if (phase_ == Phase::kSending && ended != Phase::kSending) return;
        const bool enough = waiting_.size() >= options_.enough;
        if (phase_ == Phase::kWaiting && !enough) return;
        phase_ = waiting_.empty() ? Phase::kIdle : enough ? Phase::kSending : Phase::kWaiting;
        if (phase_ == Phase::kIdle) return;
        if (phase_ == Phase::kWaiting) wait = ++waits_;
      }
      if (wait == 0) return Schedule();
      place_.timers.RunAfter(options_.patience, Alarm(this->shared_from_this(), wait));
    }

    void Schedule() {
      place_.executor.Run([self = this->shared_from_this()] { self->SendNext(); });
    }

    void SendNext() ABSL_LOCKS_EXCLUDED(mutex_) {
      std::vector<Item> group = Take();
      send_(std::move(group), [self = this->shared_from_this()] { self->GoOn(Phase::kSending); });
    }

    // At least one item is waiting.
    std::vector<Item> Take() ABSL_LOCKS_EXCLUDED(mutex_) {
      MutexLock lock(&mutex_);
      std::vector<Item> group;
      size_t bytes = 0;
      while (!waiting_.empty() && group.size() < options_.max_items) {
        bytes += waiting_.front().bytes;
        if (!group.empty() && bytes > options_.max_bytes) break;
        group.push_back(std::move(waiting_.front().item));
        waiting_.pop_front();
      }
      return group;
    }

    const GatheringPlace place_;
    const GatheringOptions options_;
    const Send send_;
    Mutex mutex_;
    std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
    Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kIdle;
    uint64_t waits_ ABSL_GUARDED_BY(mutex_) = 0;  // So far; tells an old alarm from a new one.
  };

  const std::shared_ptr<State> state_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_GATHERING_H_
