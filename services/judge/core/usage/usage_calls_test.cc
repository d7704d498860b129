#include "services/judge/core/usage/usage_calls.h"

#include <memory>
#include <optional>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/core/usage/accounted_model_client.h"
#include "services/judge/testing/fake_model_client.h"
#include "services/judge/testing/in_memory_usage.h"

namespace assay::judge {
namespace {

constexpr char kPrices[] = R"({"prices": [{"model": "cheap", "input": 1, "output": 2}]})";

// A model with books and budgets, on a store in memory.
class UsageCallsTest : public testing::Test {
 protected:
  UsageCallsTest() {
    models_.SetResponder([](const ModelRequest&) { return FakeModelClient::TextResponse("hi"); });
  }

  absl::StatusOr<ModelResponse> Ask(ModelAccount account, const std::string& model = "x:/cheap",
                                    double max_tokens = 100) {
    ModelRequest request;
    request.model_uri = model;
    request.account = std::move(account);
    request.messages = {{ChatRole::kUser, "hello"}};
    if (max_tokens > 0) request.parameters["max_tokens"] = max_tokens;
    std::optional<absl::StatusOr<ModelResponse>> answer;
    accounted_.Complete(std::move(request), {},
                        [&](absl::StatusOr<ModelResponse> a) { answer = std::move(a); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }
  absl::StatusOr<v1::QueryUsageResponse> Query(const v1::QueryUsageRequest& request) {
    std::optional<absl::StatusOr<v1::QueryUsageResponse>> answer;
    calls_.Query(request, [&](auto a) { answer = std::move(a); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }
  absl::StatusOr<v1::Budget> Set(const std::string& id, int64_t tokens, double cost = 0,
                                 v1::Budget::Period period = v1::Budget::PERIOD_DAY) {
    v1::SetBudgetRequest request;
    request.mutable_budget()->set_name("experiments/e/budgets/" + id);
    request.mutable_budget()->set_period(period);
    if (tokens != 0) request.mutable_budget()->set_tokens(tokens);
    if (cost != 0) request.mutable_budget()->set_cost_usd(cost);
    std::optional<absl::StatusOr<v1::SetBudgetResponse>> answer;
    calls_.SetBudget({}, request, [&](auto a) { answer = std::move(a); });
    executor_.RunAll();
    if (!answer.has_value()) return absl::InternalError("no answer");
    if (!answer->ok()) return answer->status();
    return (*answer)->budget();
  }

  FakeClock clock_{absl::FromCivil(absl::CivilSecond(2026, 1, 31, 12, 0, 0), absl::UTCTimeZone())};
  FakeTimerQueue timers_{&clock_};
  ManualExecutor executor_;
  InMemoryUsage usage_{executor_, clock_};
  UsageLedger ledger_{usage_.store, timers_, clock_};
  Budgets budgets_{usage_.store, timers_, clock_};
  ModelPrices prices_{*pricing::PriceTable::Parse(kPrices), [](std::string_view uri) {
                        return PricedModel{"x", std::string(uri.substr(uri.find('/') + 1))};
                      }};
  FakeModelClient models_{&executor_};
  AccountedModelClient accounted_{
      models_,
      {.ledger = &ledger_,
       .budgets = &budgets_,
       .prices = &prices_,
       .clock = &clock_,
       .most_input_tokens = [](const ModelRequest&) { return 50; },
       .likely_input_tokens = [](const ModelRequest&) { return 5; },
       .error_field = [](const absl::Status&) { return UsageField::kTransientErrors; },
       .may_have_cost =
           [](const absl::Status& e) { return e.code() == absl::StatusCode::kDeadlineExceeded; }}};
  UsageCalls calls_{usage_.store, ledger_, budgets_, executor_, clock_};
};

TEST_F(UsageCallsTest, AnswersHaveTheirPrice) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const ModelResponse answer, Ask({}));
  EXPECT_DOUBLE_EQ(*answer.cost_usd, 10 * 1e-6 + 5 * 2e-6);
  ASSAY_ASSERT_OK_AND_ASSIGN(const ModelResponse unknown, Ask({}, "x:/other"));
  EXPECT_FALSE(unknown.cost_usd.has_value());
}

TEST_F(UsageCallsTest, AddsUpByEachDimension) {
  ASSERT_OK(Ask({"experiments/e", "experiments/e/judges/j/revisions/1"}));
  ASSERT_OK(Ask({"experiments/e", "experiments/e/judges/j/revisions/2"}));
  clock_.Advance(absl::Hours(24));
  ASSERT_OK(Ask({"experiments/f", "other"}, "x:/unknown"));
  models_.AddResponse(absl::UnavailableError("x"));
  EXPECT_FALSE(Ask({"experiments/f", "other"}).ok());

  ASSAY_ASSERT_OK_AND_ASSIGN(v1::QueryUsageResponse all, Query({}));
  ASSERT_EQ(all.rows_size(), 1);
  EXPECT_EQ(all.total().calls(), 4);
  EXPECT_EQ(all.total().input_tokens(), 30);
  EXPECT_EQ(all.total().errors().transient(), 1);
  EXPECT_EQ(all.total().unpriced_calls(), 1);
  EXPECT_DOUBLE_EQ(all.total().cost_usd(), 2 * 20e-6);

  v1::QueryUsageRequest request;
  request.add_group_by(v1::USAGE_DIMENSION_DAY);
  request.add_group_by(v1::USAGE_DIMENSION_EXPERIMENT);
  ASSAY_ASSERT_OK_AND_ASSIGN(v1::QueryUsageResponse days, Query(request));
  ASSERT_EQ(days.rows_size(), 2);
  EXPECT_EQ(days.rows(0).day(), "2026-01-31");
  EXPECT_EQ(days.rows(0).experiment(), "experiments/e");
  EXPECT_EQ(days.rows(1).day(), "2026-02-01");

  request.clear_group_by();
  request.set_judge("experiments/e/judges/j");
  EXPECT_EQ(Query(request)->total().calls(), 2);
  request.set_judge("experiments/e/judges/j/revisions/2");
  EXPECT_EQ(Query(request)->total().calls(), 1);
  request.clear_judge();
  request.set_model("x:/unknown");
  EXPECT_EQ(Query(request)->total().calls(), 1);
  request.clear_model();
  request.set_experiment("experiments/f");
  request.set_from_day("2026-02-01");
  EXPECT_EQ(Query(request)->total().calls(), 2);
}

TEST_F(UsageCallsTest, PagesThroughRows) {
  for (const char* judge : {"a", "b", "c"}) ASSERT_OK(Ask({"experiments/e", judge}));
  v1::QueryUsageRequest request;
  request.add_group_by(v1::USAGE_DIMENSION_JUDGE);
  request.set_page_size(2);
  ASSAY_ASSERT_OK_AND_ASSIGN(v1::QueryUsageResponse first, Query(request));
  EXPECT_EQ(first.rows_size(), 2);
  request.set_page_token(first.next_page_token());
  ASSAY_ASSERT_OK_AND_ASSIGN(v1::QueryUsageResponse second, Query(request));
  ASSERT_EQ(second.rows_size(), 1);
  EXPECT_EQ(second.rows(0).judge(), "c");
  EXPECT_EQ(second.total().calls(), 3);
  EXPECT_TRUE(second.next_page_token().empty());
  request.set_model("x:/cheap");
  EXPECT_THAT(Query(request), HasReason("INVALID_PAGE_TOKEN"));
}

TEST_F(UsageCallsTest, RefusesBadQueries) {
  v1::QueryUsageRequest request;
  request.set_experiment("e");
  EXPECT_THAT(Query(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.Clear();
  request.set_from_day("2026-1-1");
  EXPECT_THAT(Query(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_from_day("2026-02-02");
  EXPECT_THAT(Query(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.Clear();
  request.add_group_by(v1::USAGE_DIMENSION_DAY);
  request.add_group_by(v1::USAGE_DIMENSION_DAY);
  EXPECT_THAT(Query(request), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(UsageCallsTest, UsageIsWrittenEverySecondAndKeptWhereItCannotBe) {
  ASSERT_OK(Ask({"experiments/e", "j"}));
  usage_.kv_store.FailCommitsWith(absl::UnavailableError("disk"));
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  usage_.kv_store.FailCommitsWith(absl::OkStatus());
  ASSERT_OK(Ask({"experiments/e", "j"}));
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  int64_t stored = 0;
  ASSERT_OK(usage_.store.Read({"e", 0, 100'000}, [&](const UsageKey&, const UsageCounts& counts) {
    stored += counts[UsageField::kCalls];
  }));
  EXPECT_EQ(stored, 2);
}

TEST_F(UsageCallsTest, BudgetsRefuseBeforeAnyoneIsAsked) {
  ASSERT_OK(Set("b", 200));
  ASSERT_OK(Ask({"experiments/e", "j"}));  // May need 150, needs 15.
  EXPECT_EQ(budgets_.View("experiments/e/budgets/b")->spent(), 15);
  for (int i = 0; i < 3; ++i) ASSERT_OK(Ask({"experiments/e", "j"}));
  EXPECT_THAT(Ask({"experiments/e", "j"}), HasReason("BUDGET_EXHAUSTED"));
  EXPECT_EQ(models_.requests().size(), 4u);
  ASSERT_OK(Ask({"experiments/other", "j"}));
}

TEST_F(UsageCallsTest, BudgetedRequestsHaveAMost) {
  ASSERT_OK(Set("b", 100'000));
  ASSERT_OK(Ask({"experiments/e", "j"}, "x:/cheap", 0));
  EXPECT_EQ(models_.requests().at(0).parameters.at("max_tokens"), 8192);
  ASSERT_OK(Ask({"", "j"}, "x:/cheap", 0));
  EXPECT_FALSE(models_.requests().at(1).parameters.contains("max_tokens"));
}

TEST_F(UsageCallsTest, AnswersThatNeverCameCountAsLikely) {
  ASSERT_OK(Set("b", 1000));
  models_.AddResponse(absl::DeadlineExceededError("slow"));
  EXPECT_FALSE(Ask({"experiments/e", "j"}).ok());
  EXPECT_EQ(budgets_.View("experiments/e/budgets/b")->spent(), 5);
  models_.AddResponse(absl::UnavailableError("away"));
  EXPECT_FALSE(Ask({"experiments/e", "j"}).ok());
  EXPECT_EQ(budgets_.View("experiments/e/budgets/b")->spent(), 5);
}

TEST_F(UsageCallsTest, WhatThePeriodConsumedBeforeCounts) {
  ASSERT_OK(Ask({"experiments/e", "j"}));
  clock_.Advance(absl::Hours(24));  // February.
  ASSERT_OK(Ask({"experiments/e", "j"}));
  EXPECT_EQ(Set("day", 1000)->spent(), 15);
  EXPECT_EQ(Set("month", 1000, 0, v1::Budget::PERIOD_MONTH)->spent(), 15);
  EXPECT_EQ(Set("total", 1000, 0, v1::Budget::PERIOD_TOTAL)->spent(), 30);
  EXPECT_DOUBLE_EQ(Set("money", 0, 1, v1::Budget::PERIOD_TOTAL)->spent(), 40e-6);
}

TEST_F(UsageCallsTest, BudgetsAreListedGotAndDeleted) {
  ASSERT_OK(Set("a", 1));
  ASSERT_OK(Set("b", 2));
  v1::ListBudgetsRequest list;
  list.set_parent("experiments/e");
  list.set_page_size(1);
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::ListBudgetsResponse first, calls_.ListBudgets(list));
  EXPECT_EQ(first.budgets(0).name(), "experiments/e/budgets/a");
  list.set_page_token(first.next_page_token());
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::ListBudgetsResponse second, calls_.ListBudgets(list));
  EXPECT_EQ(second.budgets(0).tokens(), 2);
  EXPECT_TRUE(second.next_page_token().empty());
  v1::DeleteBudgetRequest remove;
  remove.set_name("experiments/e/budgets/a");
  for (const bool there : {true, false}) {
    std::optional<absl::Status> done;
    calls_.DeleteBudget({}, remove, [&](const auto& a) { done = a.status(); });
    executor_.RunAll();
    EXPECT_EQ(done->ok(), there);
  }
  v1::GetBudgetRequest get;
  get.set_name("experiments/e/budgets/a");
  EXPECT_THAT(calls_.GetBudget(get), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(UsageCallsTest, RefusesBadBudgets) {
  EXPECT_THAT(Set("B", 1), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Set("b", -1), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Set("b", 0), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Set("b", 0, 1e7), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Set("b", 1, 0, v1::Budget::PERIOD_UNSPECIFIED),
              StatusIs(absl::StatusCode::kInvalidArgument));
  for (int i = 0; i < 20; ++i) ASSERT_OK(Set("b" + std::to_string(i), 1));
  EXPECT_THAT(Set("one-more", 1), HasReason("TOO_MANY_BUDGETS"));
  EXPECT_OK(Set("b0", 2));
}

}  // namespace
}  // namespace assay::judge
