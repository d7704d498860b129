// The port to stored usage and budgets.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_STORE_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/judge/v1/usage_service.pb.h"
#include "common/exec/done.h"
#include "common/request/request_key.h"
#include "services/judge/core/usage/usage_counts.h"

namespace assay::judge {

// Which records of usage are read.
struct UsageRange {
  std::optional<std::string> experiment;  // The id; absent: all.
  int64_t from_day = 0;
  int64_t to_day = 0;  // Inclusive.
};

// How far a budget is used up. Amounts are in billionths of a dollar, or in tokens.
struct BudgetState {
  int64_t period_start = 0;  // Unix seconds; 0 for PERIOD_TOTAL.
  int64_t spent = 0;
  int64_t held = 0;  // What may be consumed beyond `spent` before the next write.
  bool operator==(const BudgetState&) const = default;
};

struct StoredBudget {
  v1::Budget budget;  // Without what it has consumed.
  std::optional<BudgetState> state;
};

// Thread-safe. Reads block on storage.
class UsageStore {
 public:
  virtual ~UsageStore() = default;

  // Adds to the counters. `done` once it is durable; an error means that nothing was added.
  virtual void Add(const std::vector<std::pair<UsageKey, UsageCounts>>& usage, DoneStatus done) = 0;

  // Calls `visit` for each record of the range, by experiment, day, judge and model.
  // RESOURCE_EXHAUSTED USAGE_TOO_LARGE above a bound.
  virtual absl::Status Read(
      const UsageRange& range,
      const std::function<void(const UsageKey&, const UsageCounts&)>& visit) const = 0;

  // Every budget with its state.
  virtual absl::StatusOr<std::vector<StoredBudget>> LoadBudgets() const = 0;
  // nullopt if there is none.
  virtual absl::StatusOr<std::optional<StoredBudget>> LoadBudget(const std::string& name) const = 0;

  // Writes the state, whether or not the budget is still there.
  virtual void PutState(const std::string& name, const BudgetState& state, DoneStatus done) = 0;

  // Creates or replaces a budget, as Mutate (common/kv/mutate.h) does. `make` gets what is stored
  // and gives what shall be, without a state to leave that as it is; it may run more than once.
  // `done` gets the budget as it was stored, for
  // a repeated request as it was then.
  virtual void SetBudget(
      RequestKey key, const std::string& name,
      std::function<absl::StatusOr<StoredBudget>(const std::optional<StoredBudget>&)> make,
      Done<StoredBudget> done) = 0;

  // NOT_FOUND if there is none.
  virtual void DeleteBudget(RequestKey key, const std::string& name, DoneStatus done) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_STORE_H_
