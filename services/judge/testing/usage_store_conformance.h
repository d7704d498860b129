// What every engine of UsageStore must do. For tests.
//
//   using Engines = testing::Types<OnMemory, OnRocks>;
//   INSTANTIATE_TYPED_TEST_SUITE_P(Engines, UsageStoreConformance, Engines);
// An engine has `UsageStore& store()`.
#ifndef ASSAY_SERVICES_JUDGE_TESTING_USAGE_STORE_CONFORMANCE_H_
#define ASSAY_SERVICES_JUDGE_TESTING_USAGE_STORE_CONFORMANCE_H_

#include <string>
#include <utility>
#include <vector>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/core/usage/usage_store.h"

namespace assay::judge {

template <class Engine>
class UsageStoreConformance : public ::testing::Test {
 protected:
  UsageStore& store() { return engine_.store(); }

  static UsageCounts Counts(int64_t calls, int64_t tokens) {
    UsageCounts counts;
    counts[UsageField::kCalls] = calls;
    counts[UsageField::kInputTokens] = tokens;
    return counts;
  }
  template <class Begin>
  static absl::Status Wait(Begin begin) {
    absl::Status result;
    Notification done;
    begin([&](absl::Status status) {
      result = std::move(status);
      done.Notify();
    });
    done.Wait();
    return result;
  }
  absl::Status Add(std::vector<std::pair<UsageKey, UsageCounts>> usage) {
    return Wait([&](DoneStatus done) { store().Add(usage, std::move(done)); });
  }
  std::vector<std::string> Read(const UsageRange& range) {
    std::vector<std::string> rows;
    EXPECT_OK(store().Read(range, [&](const UsageKey& key, const UsageCounts& counts) {
      rows.push_back(key.experiment + "/" + std::to_string(key.day) + "/" + key.judge + "/" +
                     key.model + "=" + std::to_string(counts[UsageField::kCalls]) + "," +
                     std::to_string(counts[UsageField::kInputTokens]));
    }));
    return rows;
  }
  absl::StatusOr<StoredBudget> Set(const std::string& request_id, v1::Budget budget,
                                   std::optional<BudgetState> state = {}) {
    absl::StatusOr<StoredBudget> result = absl::InternalError("no answer");
    Notification done;
    store().SetBudget(
        {"p", "SetBudget", request_id, std::to_string(budget.tokens())}, budget.name(),
        [&](const std::optional<StoredBudget>&) -> absl::StatusOr<StoredBudget> {
          return StoredBudget{budget, state};
        },
        [&](absl::StatusOr<StoredBudget> set) {
          result = std::move(set);
          done.Notify();
        });
    done.Wait();
    return result;
  }
  absl::Status Delete(const std::string& name) {
    return Wait([&](DoneStatus done) {
      store().DeleteBudget({"p", "DeleteBudget", "", ""}, name, std::move(done));
    });
  }
  static v1::Budget Budget(int64_t tokens) {
    v1::Budget budget;
    budget.set_name("experiments/e/budgets/b");
    budget.set_period(v1::Budget::PERIOD_DAY);
    budget.set_tokens(tokens);
    return budget;
  }

 private:
  Engine engine_;
};
TYPED_TEST_SUITE_P(UsageStoreConformance);

TYPED_TEST_P(UsageStoreConformance, AddsUpByKey) {
  ASSERT_OK(this->Add(
      {{{"e", 1, "j", "m"}, this->Counts(1, 10)}, {{"e", 1, "j", "n"}, this->Counts(2, 0)}}));
  ASSERT_OK(this->Add({{{"e", 1, "j", "m"}, this->Counts(3, 5)}}));
  EXPECT_THAT(this->Read({"e", 1, 1}), ::testing::ElementsAre("e/1/j/m=4,15", "e/1/j/n=2,0"));
}

TYPED_TEST_P(UsageStoreConformance, ReadsDaysAndExperiments) {
  for (int64_t day = 1; day <= 3; ++day) {
    ASSERT_OK(this->Add({{{"a", day, "", "m"}, this->Counts(1, day)},
                         {{"", day, "", "m"}, this->Counts(1, day)},
                         {{"b", day, "", "m"}, this->Counts(1, day)}}));
  }
  EXPECT_THAT(this->Read({"a", 2, 3}), ::testing::ElementsAre("a/2//m=1,2", "a/3//m=1,3"));
  EXPECT_THAT(this->Read({std::nullopt, 2, 2}),
              ::testing::ElementsAre("/2//m=1,2", "a/2//m=1,2", "b/2//m=1,2"));
  EXPECT_THAT(this->Read({"absent", 1, 3}), ::testing::IsEmpty());
}

TYPED_TEST_P(UsageStoreConformance, KeepsBudgetsWithTheirState) {
  ASSERT_OK(this->Set("", this->Budget(100), BudgetState{5, 6, 7}));
  ASSAY_ASSERT_OK_AND_ASSIGN(const std::vector<StoredBudget> all, this->store().LoadBudgets());
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].budget.tokens(), 100);
  EXPECT_EQ(all[0].state, (BudgetState{5, 6, 7}));
  // Without a state, that stays as it is.
  ASSERT_OK(this->Set("", this->Budget(200)));
  ASSERT_OK(this->Wait([&](DoneStatus done) {
    this->store().PutState("experiments/e/budgets/b", {5, 60, 0}, std::move(done));
  }));
  ASSAY_ASSERT_OK_AND_ASSIGN(const std::optional<StoredBudget> one,
                             this->store().LoadBudget("experiments/e/budgets/b"));
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->budget.tokens(), 200);
  EXPECT_EQ(one->state, (BudgetState{5, 60, 0}));
}

TYPED_TEST_P(UsageStoreConformance, RepeatedRequestsHaveOneEffect) {
  ASSERT_OK(this->Set("r1", this->Budget(100)));
  ASSERT_OK(this->Set("", this->Budget(300)));
  ASSAY_ASSERT_OK_AND_ASSIGN(const StoredBudget again, this->Set("r1", this->Budget(100)));
  EXPECT_EQ(again.budget.tokens(), 100);
  EXPECT_EQ((*this->store().LoadBudget("experiments/e/budgets/b"))->budget.tokens(), 300);
  EXPECT_THAT(this->Set("r1", this->Budget(7)), HasReason("REQUEST_ID_REUSED"));
}

TYPED_TEST_P(UsageStoreConformance, DeletesBudgets) {
  ASSERT_OK(this->Set("", this->Budget(100), BudgetState{1, 2, 3}));
  ASSERT_OK(this->Delete("experiments/e/budgets/b"));
  EXPECT_THAT(this->Delete("experiments/e/budgets/b"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(this->Set("", this->Budget(100)));
  EXPECT_FALSE((*this->store().LoadBudget("experiments/e/budgets/b"))->state.has_value());
}

REGISTER_TYPED_TEST_SUITE_P(UsageStoreConformance, AddsUpByKey, ReadsDaysAndExperiments,
                            KeepsBudgetsWithTheirState, RepeatedRequestsHaveOneEffect,
                            DeletesBudgets);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_TESTING_USAGE_STORE_CONFORMANCE_H_
