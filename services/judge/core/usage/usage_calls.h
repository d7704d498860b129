// What UsageService answers.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_CALLS_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_CALLS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "assay/judge/v1/usage_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/judge/core/usage/budgets.h"
#include "services/judge/core/usage/usage_ledger.h"
#include "services/judge/core/usage/usage_store.h"

namespace assay::judge {

// As the RPCs of the same names. Blocks on storage. Thread-safe. What it is given outlives it and
// its calls.
class UsageCalls {
 public:
  UsageCalls(UsageStore& store, UsageLedger& ledger, Budgets& budgets, Executor& executor,
             Clock& clock)
      : store_(store), ledger_(ledger), budgets_(budgets), executor_(executor), clock_(clock) {}

  void Query(const v1::QueryUsageRequest& request, Done<v1::QueryUsageResponse> done);
  void SetBudget(const CallContext& context, const v1::SetBudgetRequest& request,
                 Done<v1::SetBudgetResponse> done);
  absl::StatusOr<v1::GetBudgetResponse> GetBudget(const v1::GetBudgetRequest& request) const;
  absl::StatusOr<v1::ListBudgetsResponse> ListBudgets(const v1::ListBudgetsRequest& request) const;
  void DeleteBudget(const CallContext& context, const v1::DeleteBudgetRequest& request,
                    Done<v1::DeleteBudgetResponse> done);

 private:
  absl::StatusOr<v1::QueryUsageResponse> Sum(const v1::QueryUsageRequest& request) const;
  // What the budget's period has consumed so far, by the records of usage.
  absl::StatusOr<BudgetState> SpentSoFar(const v1::Budget& budget) const;
  absl::StatusOr<StoredBudget> Make(v1::Budget budget,
                                    const std::optional<StoredBudget>& before) const;
  // Brings the budget in memory to what is stored.
  absl::Status Refresh(const std::string& name);

  UsageStore& store_;
  UsageLedger& ledger_;
  Budgets& budgets_;
  Executor& executor_;
  Clock& clock_;
  Mutex refreshing_;  // One at a time: the last one sees the last state.
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_CALLS_H_
