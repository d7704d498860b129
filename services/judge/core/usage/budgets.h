// Budgets of experiments: what a call may consume at most is set aside before it is made.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_BUDGETS_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_BUDGETS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/judge/v1/usage_service.pb.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/usage/usage_store.h"

namespace assay::judge {

// Spending never exceeds a budget, whatever happens: before a call is made, the store knows that it
// may spend (in steps of a hundredth of the budget, so that few calls wait for a write). After a
// crash all that was known so counts as spent; what was really spent is written every second.
// Thread-safe.
class Budgets {
 public:
  // What a call may consume at most.
  struct Demand {
    std::optional<int64_t> cost;  // Billionths of a dollar; absent: the model has no price.
    int64_t tokens = 0;
    std::string model;  // For errors.
  };
  struct Core;

  // What is set aside for one call; given back when it is destroyed. Movable.
  class Reservation {
   public:
    Reservation() = default;  // Of nothing.
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation();

    // What the call has really consumed.
    void Settle(int64_t cost, int64_t tokens);

   private:
    friend struct Core;
    struct Share {
      std::string budget;
      uint64_t generation = 0;
      int64_t period_start = 0;
      int64_t amount = 0;
      bool is_money = false;
    };
    std::shared_ptr<Core> core_;
    std::string experiment_;
    std::vector<Share> shares_;
  };

  // All outlive the object and the writes that it has begun.
  Budgets(UsageStore& store, TimerQueue& timers, Clock& clock);
  ~Budgets();

  // Reads all budgets. Blocks on storage; once, before anything else.
  absl::Status Load();

  // Whether the experiment, `experiments/{experiment}`, has any budget.
  bool Bounds(std::string_view experiment) const;

  // Sets `demand` aside in all budgets of the experiment. If it does not fit only because of other
  // calls under way, waits for them to end. `done` may be called inline. Errors: RESOURCE_EXHAUSTED
  // BUDGET_EXHAUSTED with QuotaFailure, and RetryInfo where the period ends;
  // FAILED_PRECONDITION MODEL_PRICE_UNKNOWN; of the context; of the store.
  void Reserve(const std::string& experiment, const CallContext& context, Demand demand,
               Done<Reservation> done);

  // Takes up a budget as it was stored; what is under way stays set aside if it stays of one kind.
  void Install(const StoredBudget& stored);
  void Remove(const std::string& name);
  // With what it has consumed; nullopt if there is none.
  std::optional<v1::Budget> View(const std::string& name) const;
  // All of the experiment, by name.
  std::vector<v1::Budget> ViewAll(const std::string& experiment) const;

  // Writes what was spent; blocks. For the end of the process, when no calls are under way.
  void FlushAndWait();

 private:
  const std::shared_ptr<Core> core_;
};

// When the budget's period that holds `now` began and ends; {0, 0} for PERIOD_TOTAL. Unix seconds.
struct BudgetPeriod {
  int64_t start = 0;
  int64_t end = 0;
};
BudgetPeriod PeriodOf(v1::Budget::Period period, absl::Time now);

// Billionths of a dollar, or tokens.
int64_t LimitOf(const v1::Budget& budget);
bool IsMoney(const v1::Budget& budget);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_BUDGETS_H_
