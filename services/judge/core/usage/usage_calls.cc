#include "services/judge/core/usage/usage_calls.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/filter/page_token.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/request/request_key.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/usage/usage_query.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxBudgets = 20;
constexpr double kMaxDollars = 1'000'000;
constexpr int64_t kMaxTokens = 1'000'000'000'000'000;
constexpr char kListMethod[] = "assay.judge.v1.UsageService/ListBudgets";

struct BudgetName {
  std::string experiment;  // experiments/{experiment}
  std::string id;
};

absl::StatusOr<BudgetName> ParseBudgetName(const std::string& name, std::string_view field) {
  constexpr std::string_view kBudgets = "/budgets/";
  const size_t at = name.find(kBudgets);
  BudgetName parsed;
  if (at != std::string::npos) {
    parsed = {name.substr(0, at), name.substr(at + kBudgets.size())};
  }
  if (at == std::string::npos || !names::ExperimentName::Parse(parsed.experiment).ok() ||
      !names::IsSlug(parsed.id)) {
    return InvalidField(field, "it has the form experiments/{experiment}/budgets/{budget}",
                        "INVALID_NAME");
  }
  return parsed;
}

absl::Status CheckBudget(const v1::Budget& budget) {
  ASSAY_RETURN_IF_ERROR(ParseBudgetName(budget.name(), "budget.name").status());
  if (budget.period() != v1::Budget::PERIOD_DAY && budget.period() != v1::Budget::PERIOD_MONTH &&
      budget.period() != v1::Budget::PERIOD_TOTAL) {
    return InvalidField("budget.period", "allowed: PERIOD_DAY, PERIOD_MONTH, PERIOD_TOTAL");
  }
  if (budget.limit_case() == v1::Budget::kCostUsd) {
    if (!(budget.cost_usd() >= 1e-9 && budget.cost_usd() <= kMaxDollars)) {
      return InvalidField("budget.cost_usd", "it lies above 0, at most 1000000");
    }
  } else if (budget.limit_case() == v1::Budget::kTokens) {
    if (budget.tokens() <= 0 || budget.tokens() > kMaxTokens) {
      return InvalidField("budget.tokens", "it lies above 0, at most 10^15");
    }
  } else {
    return InvalidField("budget.limit", "cost_usd or tokens is required");
  }
  return absl::OkStatus();
}

bool IsSameKind(const v1::Budget& a, const v1::Budget& b) {
  return a.period() == b.period() && IsMoney(a) == IsMoney(b);
}

}  // namespace

void UsageCalls::Query(const v1::QueryUsageRequest& request, Done<v1::QueryUsageResponse> done) {
  // What is still in memory counts too; if it cannot be written, what is stored is answered.
  ledger_.Flush([this, request, done = std::move(done)](const absl::Status&) mutable {
    executor_.Run([this, request = std::move(request), done = std::move(done)]() mutable {
      std::move(done)(Sum(request));
    });
  });
}

absl::StatusOr<v1::QueryUsageResponse> UsageCalls::Sum(const v1::QueryUsageRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(UsageQuery query, UsageQuery::Parse(request, clock_.Now()));
  ASSAY_RETURN_IF_ERROR(
      store_.Read(query.range(),
                  [&](const UsageKey& key, const UsageCounts& counts) { query.Add(key, counts); }));
  return query.Answer(request);
}

absl::StatusOr<BudgetState> UsageCalls::SpentSoFar(const v1::Budget& budget) const {
  ASSAY_ASSIGN_OR_RETURN(const BudgetName name, ParseBudgetName(budget.name(), "budget.name"));
  ASSAY_ASSIGN_OR_RETURN(const names::ExperimentName experiment,
                         names::ExperimentName::Parse(name.experiment, "budget.name"));
  const absl::Time now = clock_.Now();
  BudgetState state;
  state.period_start = PeriodOf(budget.period(), now).start;
  UsageCounts sum;
  ASSAY_RETURN_IF_ERROR(store_.Read(
      {experiment.experiment, UsageDay(absl::FromUnixSeconds(state.period_start)), UsageDay(now)},
      [&](const UsageKey&, const UsageCounts& counts) { sum.Add(counts); }));
  state.spent = IsMoney(budget) ? sum[UsageField::kCostNanos]
                                : sum[UsageField::kInputTokens] + sum[UsageField::kOutputTokens];
  return state;
}

absl::StatusOr<StoredBudget> UsageCalls::Make(v1::Budget budget,
                                              const std::optional<StoredBudget>& before) const {
  StoredBudget made;
  const google::protobuf::Timestamp now = proto::ToTimestamp(clock_.Now());
  *budget.mutable_create_time() = before.has_value() ? before->budget.create_time() : now;
  *budget.mutable_update_time() = now;
  if (!before.has_value() || !IsSameKind(before->budget, budget)) {
    ASSAY_ASSIGN_OR_RETURN(made.state, SpentSoFar(budget));
  }
  made.budget = std::move(budget);
  return made;
}

absl::Status UsageCalls::Refresh(const std::string& name) {
  MutexLock lock(&refreshing_);
  ASSAY_ASSIGN_OR_RETURN(const std::optional<StoredBudget> stored, store_.LoadBudget(name));
  if (stored.has_value()) {
    budgets_.Install(*stored);
  } else {
    budgets_.Remove(name);
  }
  return absl::OkStatus();
}

void UsageCalls::SetBudget(const CallContext& context, const v1::SetBudgetRequest& request,
                           Done<v1::SetBudgetResponse> done) {
  absl::Status valid = CheckBudget(request.budget());
  if (!valid.ok()) return std::move(done)(std::move(valid));
  v1::Budget budget = request.budget();
  budget.clear_spent();
  budget.clear_reserved();
  budget.clear_period_start();
  budget.clear_period_end();
  const std::string name = budget.name();
  const std::string experiment = name.substr(0, name.find("/budgets/"));
  if (!budgets_.View(name).has_value() && budgets_.ViewAll(experiment).size() >= kMaxBudgets) {
    return std::move(done)(
        MakeError(absl::StatusCode::kResourceExhausted, "TOO_MANY_BUDGETS",
                  StrCat(experiment, " has ", kMaxBudgets, " budgets, which is the most")));
  }
  // What the period has consumed so far is read from what is stored.
  ledger_.Flush([this, key = MakeRequestKey(context, "UsageService/SetBudget", request),
                 budget = std::move(budget), name,
                 done = std::move(done)](absl::Status flushed) mutable {
    if (!flushed.ok()) return std::move(done)(std::move(flushed));
    store_.SetBudget(
        std::move(key), name,
        [this, budget = std::move(budget)](const std::optional<StoredBudget>& before) {
          return Make(budget, before);
        },
        [this, name, done = std::move(done)](absl::StatusOr<StoredBudget> set) mutable {
          if (!set.ok()) return std::move(done)(set.status());
          if (absl::Status status = Refresh(name); !status.ok()) {
            return std::move(done)(std::move(status));
          }
          v1::SetBudgetResponse response;
          *response.mutable_budget() = budgets_.View(name).value_or(std::move(set->budget));
          std::move(done)(std::move(response));
        });
  });
}

absl::StatusOr<v1::GetBudgetResponse> UsageCalls::GetBudget(
    const v1::GetBudgetRequest& request) const {
  ASSAY_RETURN_IF_ERROR(ParseBudgetName(request.name(), "name").status());
  std::optional<v1::Budget> budget = budgets_.View(request.name());
  if (!budget.has_value()) return NotFound("budget", request.name());
  v1::GetBudgetResponse response;
  *response.mutable_budget() = *std::move(budget);
  return response;
}

absl::StatusOr<v1::ListBudgetsResponse> UsageCalls::ListBudgets(
    const v1::ListBudgetsRequest& request) const {
  ASSAY_RETURN_IF_ERROR(names::ExperimentName::Parse(request.parent(), "parent").status());
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  const filter::PageScope scope = {kListMethod, request.parent(), "", ""};
  ASSAY_ASSIGN_OR_RETURN(const std::string after,
                         filter::DecodePageToken(scope, request.page_token()));
  v1::ListBudgetsResponse response;
  for (v1::Budget& budget : budgets_.ViewAll(request.parent())) {
    if (budget.name() <= after) continue;
    if (response.budgets_size() == page_size) {
      response.set_next_page_token(
          filter::EncodePageToken(scope, response.budgets(page_size - 1).name()));
      break;
    }
    *response.add_budgets() = std::move(budget);
  }
  return response;
}

void UsageCalls::DeleteBudget(const CallContext& context, const v1::DeleteBudgetRequest& request,
                              Done<v1::DeleteBudgetResponse> done) {
  absl::Status valid = ParseBudgetName(request.name(), "name").status();
  if (!valid.ok()) return std::move(done)(std::move(valid));
  store_.DeleteBudget(
      MakeRequestKey(context, "UsageService/DeleteBudget", request), request.name(),
      [this, name = request.name(), done = std::move(done)](absl::Status deleted) mutable {
        if (deleted.ok()) deleted = Refresh(name);
        if (!deleted.ok()) return std::move(done)(std::move(deleted));
        std::move(done)(v1::DeleteBudgetResponse());
      });
}

}  // namespace assay::judge
