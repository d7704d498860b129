#include "services/judge/core/usage/budgets.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/in_memory_usage.h"

namespace assay::judge {
namespace {

constexpr char kExperiment[] = "experiments/e";
constexpr char kName[] = "experiments/e/budgets/b";

// The answer to one Reserve.
using Held = std::shared_ptr<std::optional<absl::StatusOr<Budgets::Reservation>>>;

class BudgetsTest : public testing::Test {
 protected:
  static v1::Budget Tokens(int64_t tokens, const std::string& name = kName) {
    v1::Budget budget;
    budget.set_name(name);
    budget.set_period(v1::Budget::PERIOD_DAY);
    budget.set_tokens(tokens);
    return budget;
  }
  // Stored, and taken up.
  void Set(const v1::Budget& budget) {
    usage_.store.SetBudget(
        {"p", "m", "", ""}, budget.name(),
        [&](const auto&) {
          return StoredBudget{budget, std::nullopt};
        },
        [](const absl::StatusOr<StoredBudget>& set) { ASSERT_OK(set); });
    executor_.RunAll();
    budgets_->Install({budget, std::nullopt});
  }
  Held Reserve(int64_t tokens, std::optional<int64_t> cost = 0, CallContext context = {}) {
    Held held = std::make_shared<std::optional<absl::StatusOr<Budgets::Reservation>>>();
    budgets_->Reserve(kExperiment, context, {cost, tokens, "openai:/m"},
                      [held](absl::StatusOr<Budgets::Reservation> reserved) {
                        held->emplace(std::move(reserved));
                      });
    return held;
  }
  // With the write that it may need.
  Held Reserved(int64_t tokens) {
    Held held = Reserve(tokens);
    executor_.RunAll();
    return held;
  }
  double Spent() { return budgets_->View(kName)->spent(); }
  // As after kill -9: what was not written is gone.
  void Crash() {
    budgets_ = std::make_unique<Budgets>(usage_.store, timers_, clock_);
    ASSERT_OK(budgets_->Load());
  }

  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  ManualExecutor executor_;
  InMemoryUsage usage_{executor_, clock_};
  std::unique_ptr<Budgets> budgets_ = std::make_unique<Budgets>(usage_.store, timers_, clock_);
};

TEST_F(BudgetsTest, ExperimentsWithoutBudgetsAreNotBound) {
  EXPECT_FALSE(budgets_->Bounds(kExperiment));
  Set(Tokens(100));
  EXPECT_TRUE(budgets_->Bounds(kExperiment));
  EXPECT_FALSE(budgets_->Bounds("experiments/other"));
  EXPECT_FALSE(budgets_->Bounds(""));
  budgets_->Remove(kName);
  EXPECT_FALSE(budgets_->Bounds(kExperiment));
}

TEST_F(BudgetsTest, RefusesAtTheEdge) {
  Set(Tokens(100));
  Held first = Reserved(60);
  ASSERT_OK(**first);
  (**first)->Settle(0, 60);
  Held fits = Reserved(40);
  ASSERT_OK(**fits);
  (**fits)->Settle(0, 40);
  Held refused = Reserved(1);
  ASSERT_TRUE(refused->has_value());
  const absl::Status error = (*refused)->status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(error, HasReason("BUDGET_EXHAUSTED"));
  EXPECT_EQ(ErrorMetadata(error, "budget"), kName);
  EXPECT_TRUE(error.GetPayload("type.googleapis.com/google.rpc.QuotaFailure").has_value());
  EXPECT_TRUE(RetryAfter(error).has_value());
  EXPECT_EQ(Spent(), 100);
}

TEST_F(BudgetsTest, WaitsForCallsUnderWayThatMayNeedLess) {
  Set(Tokens(100));
  Held first = Reserved(80);
  Held second = Reserved(50);
  EXPECT_FALSE(second->has_value());
  (**first)->Settle(0, 30);
  executor_.RunAll();
  ASSERT_TRUE(second->has_value());
  EXPECT_OK(**second);
  EXPECT_EQ(budgets_->View(kName)->reserved(), 50);
}

TEST_F(BudgetsTest, WhoWaitedTooLongIsAnsweredSo) {
  Set(Tokens(100));
  Held first = Reserved(80);
  CallContext context;
  context.deadline = clock_.Now() + absl::Seconds(1);
  Held second = Reserve(50, 0, context);
  clock_.Advance(absl::Seconds(2));
  (**first)->Settle(0, 0);
  ASSERT_TRUE(second->has_value());
  EXPECT_THAT((*second)->status(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(BudgetsTest, UnusedReservationsAreGivenBack) {
  Set(Tokens(100));
  Held first = Reserved(100);
  first->reset();
  EXPECT_EQ(Spent(), 0);
  EXPECT_EQ(budgets_->View(kName)->reserved(), 0);
}

TEST_F(BudgetsTest, AllBudgetsOfTheExperimentHold) {
  v1::Budget money = Tokens(0, "experiments/e/budgets/money");
  money.set_cost_usd(1e-6);  // 1000 billionths.
  Set(Tokens(100));
  Set(money);
  Held refused = Reserve(10, 1001);
  executor_.RunAll();
  EXPECT_THAT((*refused)->status(), HasReason("BUDGET_EXHAUSTED"));
  Held unknown = Reserve(10, std::nullopt);
  executor_.RunAll();
  EXPECT_THAT((*unknown)->status(), HasReason("MODEL_PRICE_UNKNOWN"));
  Held fits = Reserve(10, 1000);
  executor_.RunAll();
  ASSERT_OK(**fits);
  (**fits)->Settle(1000, 10);
  EXPECT_DOUBLE_EQ(budgets_->View(money.name())->spent(), 1e-6);
  EXPECT_EQ(Spent(), 10);
}

TEST_F(BudgetsTest, FullAgainInTheNextPeriod) {
  Set(Tokens(100));
  Held first = Reserved(100);
  (**first)->Settle(0, 100);
  EXPECT_THAT((*Reserved(100))->status(), HasReason("BUDGET_EXHAUSTED"));
  clock_.Advance(absl::Hours(24));
  EXPECT_EQ(Spent(), 0);
  EXPECT_OK(**Reserved(100));
}

TEST_F(BudgetsTest, NoCallBeginsBeforeTheStoreKnows) {
  Set(Tokens(1000));
  Held first = Reserve(10);
  EXPECT_FALSE(first->has_value());
  executor_.RunAll();
  EXPECT_TRUE(first->has_value());
  // A hundredth of the budget is known ahead.
  Held second = Reserve(10);
  EXPECT_TRUE(second->has_value());
  EXPECT_FALSE(Reserve(10)->has_value());
}

TEST_F(BudgetsTest, AFailedWriteRefusesTheCall) {
  Set(Tokens(1000));
  usage_.kv_store.FailCommitsWith(absl::UnavailableError("disk"));
  Held first = Reserved(10);
  ASSERT_TRUE(first->has_value());
  EXPECT_THAT((*first)->status(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(budgets_->View(kName)->reserved(), 0);
}

TEST_F(BudgetsTest, AfterACrashWhatWasUnderWayCountsAsSpent) {
  Set(Tokens(1000));
  Held first = Reserved(300);
  Crash();
  EXPECT_GE(Spent(), 300);
  EXPECT_LE(Spent(), 310);
}

TEST_F(BudgetsTest, AfterACrashAtRestNothingIsLost) {
  Set(Tokens(1000));
  Held first = Reserved(300);
  (**first)->Settle(0, 120);
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  Crash();
  EXPECT_EQ(Spent(), 120);
}

// Whenever the process dies, what it has spent is never more than what the next one believes.
TEST_F(BudgetsTest, ACrashNeverGivesMoneyBack) {
  Set(Tokens(10'000));
  int64_t really = 0;
  for (int round = 0; round < 30; ++round) {
    std::vector<Held> calls;
    for (int i = 0; i < 4; ++i) calls.push_back(Reserved(40));
    for (int i = 0; i < 3; ++i) {
      if (!calls[i]->has_value() || !(*calls[i])->ok()) continue;
      (**calls[i])->Settle(0, 25);
      really += 25;
    }
    if (round % 3 == 0) {
      clock_.Advance(absl::Seconds(1));
      executor_.RunAll();
    }
    if (round % 7 == 6) Crash();
    EXPECT_GE(Spent(), static_cast<double>(really));
    EXPECT_LE(really, 10'000);
  }
}

TEST_F(BudgetsTest, AnotherLimitKeepsWhatIsSpent) {
  Set(Tokens(100));
  Held first = Reserved(60);
  (**first)->Settle(0, 60);
  Set(Tokens(50));
  EXPECT_EQ(Spent(), 60);
  EXPECT_THAT((*Reserved(1))->status(), HasReason("BUDGET_EXHAUSTED"));
}

TEST(BudgetPeriodTest, DaysAndMonthsAreInUtc) {
  const absl::Time now =
      absl::FromCivil(absl::CivilSecond(2026, 12, 31, 23, 59, 59), absl::UTCTimeZone());
  const BudgetPeriod day = PeriodOf(v1::Budget::PERIOD_DAY, now);
  EXPECT_EQ(day.end - day.start, 86'400);
  EXPECT_EQ(day.end, absl::ToUnixSeconds(now) + 1);
  const BudgetPeriod month = PeriodOf(v1::Budget::PERIOD_MONTH, now);
  EXPECT_EQ(month.end - month.start, 31 * 86'400);
}

}  // namespace
}  // namespace assay::judge
