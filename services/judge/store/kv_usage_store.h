// Usage and budgets on a key-value store.
#ifndef ASSAY_SERVICES_JUDGE_STORE_KV_USAGE_STORE_H_
#define ASSAY_SERVICES_JUDGE_STORE_KV_USAGE_STORE_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "services/judge/core/usage/usage_store.h"

namespace assay::judge {

class KvUsageStore final : public UsageStore {
 public:
  // All outlive it and the `done`s of its writes.
  KvUsageStore(kv::Store& store, Executor& executor, Clock& clock)
      : store_(store), executor_(executor), clock_(clock) {}

  void Add(const std::vector<std::pair<UsageKey, UsageCounts>>& usage, DoneStatus done) override;
  absl::Status Read(
      const UsageRange& range,
      const std::function<void(const UsageKey&, const UsageCounts&)>& visit) const override;
  absl::StatusOr<std::vector<StoredBudget>> LoadBudgets() const override;
  absl::StatusOr<std::optional<StoredBudget>> LoadBudget(const std::string& name) const override;
  void PutState(const std::string& name, const BudgetState& state, DoneStatus done) override;
  void SetBudget(
      RequestKey key, const std::string& name,
      std::function<absl::StatusOr<StoredBudget>(const std::optional<StoredBudget>&)> make,
      Done<StoredBudget> done) override;
  void DeleteBudget(RequestKey key, const std::string& name, DoneStatus done) override;

 private:
  kv::Store& store_;
  Executor& executor_;
  Clock& clock_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_STORE_KV_USAGE_STORE_H_
