// Timers that can be told that the end has come.
#ifndef ASSAY_SERVICES_JUDGE_CLOSABLE_TIMERS_H_
#define ASSAY_SERVICES_JUDGE_CLOSABLE_TIMERS_H_

#include <atomic>

#include "common/clock/timer.h"

namespace assay::judge {

// Passes everything on, until it is closed: then tasks are dropped, and the timers behind may go.
// For background work that the end of the process does itself. Thread-safe.
class ClosableTimers final : public TimerQueue {
 public:
  explicit ClosableTimers(TimerQueue* timers) : timers_(timers) {}

  Id RunAt(absl::Time when, Task task) override {
    return closed_.load() ? kDropped : timers_->RunAt(when, std::move(task));
  }
  Id RunAfter(absl::Duration delay, Task task) override {
    return closed_.load() ? kDropped : timers_->RunAfter(delay, std::move(task));
  }
  bool Cancel(Id id) override { return !closed_.load() && timers_->Cancel(id); }

  void Close() { closed_.store(true); }

 private:
  static constexpr Id kDropped = ~Id{0};
  TimerQueue* const timers_;
  std::atomic<bool> closed_ = false;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLOSABLE_TIMERS_H_
