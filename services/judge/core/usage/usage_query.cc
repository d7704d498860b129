#include "services/judge/core/usage/usage_query.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"
#include "common/filter/page_token.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

constexpr int64_t kMostDays = 3'660;
constexpr int64_t kUsualDays = 29;
constexpr char kMethod[] = "assay.judge.v1.UsageService/QueryUsage";

absl::StatusOr<std::optional<int64_t>> DayOf(const std::string& text, std::string_view field) {
  if (text.empty()) return std::nullopt;
  absl::CivilDay day;
  if (text.size() != 10 || !absl::ParseCivilTime(text, &day)) {
    return InvalidField(field, "a day like 2026-01-31 is allowed");
  }
  return day - absl::CivilDay(1970, 1, 1);
}

v1::UsageRow RowOf(const UsageCounts& counts) {
  v1::UsageRow row;
  row.set_calls(counts[UsageField::kCalls]);
  row.set_attempts(counts[UsageField::kAttempts]);
  row.set_cache_hits(counts[UsageField::kCacheHits]);
  v1::UsageErrors& errors = *row.mutable_errors();
  errors.set_transient(counts[UsageField::kTransientErrors]);
  errors.set_rate(counts[UsageField::kRateErrors]);
  errors.set_quota(counts[UsageField::kQuotaErrors]);
  errors.set_budget(counts[UsageField::kBudgetErrors]);
  errors.set_permanent(counts[UsageField::kPermanentErrors]);
  errors.set_cancelled(counts[UsageField::kCancelled]);
  row.set_input_tokens(counts[UsageField::kInputTokens]);
  row.set_output_tokens(counts[UsageField::kOutputTokens]);
  row.set_cached_input_tokens(counts[UsageField::kCachedInputTokens]);
  row.set_cost_usd(static_cast<double>(counts[UsageField::kCostNanos]) / 1e9);
  row.set_unpriced_calls(counts[UsageField::kUnpricedCalls]);
  return row;
}

// Of the request as it is, but for where its page begins.
filter::PageScope ScopeOf(v1::QueryUsageRequest request) {
  request.clear_page_token();
  request.clear_page_size();
  return {kMethod, request.experiment(), request.SerializeAsString(), ""};
}

}  // namespace

absl::StatusOr<UsageQuery> UsageQuery::Parse(const v1::QueryUsageRequest& request, absl::Time now) {
  UsageQuery query;
  if (!request.experiment().empty()) {
    ASSAY_ASSIGN_OR_RETURN(const names::ExperimentName name,
                           names::ExperimentName::Parse(request.experiment(), "experiment"));
    query.range_.experiment = name.experiment;
  }
  query.judge_ = request.judge();
  query.model_ = request.model();
  ASSAY_ASSIGN_OR_RETURN(const std::optional<int64_t> to, DayOf(request.to_day(), "to_day"));
  ASSAY_ASSIGN_OR_RETURN(const std::optional<int64_t> from, DayOf(request.from_day(), "from_day"));
  query.range_.to_day = to.value_or(UsageDay(now));
  query.range_.from_day = from.value_or(query.range_.to_day - kUsualDays);
  if (query.range_.from_day > query.range_.to_day) {
    return InvalidField("from_day", "it must not be after the last day");
  }
  if (query.range_.to_day - query.range_.from_day > kMostDays) {
    return InvalidField("from_day", StrCat("at most ", kMostDays, " days are allowed"));
  }
  for (int i = 0; i < request.group_by_size(); ++i) {
    bool* by = nullptr;
    if (request.group_by(i) == v1::USAGE_DIMENSION_EXPERIMENT) by = &query.by_experiment_;
    if (request.group_by(i) == v1::USAGE_DIMENSION_JUDGE) by = &query.by_judge_;
    if (request.group_by(i) == v1::USAGE_DIMENSION_MODEL) by = &query.by_model_;
    if (request.group_by(i) == v1::USAGE_DIMENSION_DAY) by = &query.by_day_;
    if (by == nullptr || *by) {
      return InvalidField(StrCat("group_by[", i, "]"),
                          "experiment, judge, model and day are allowed, each once");
    }
    *by = true;
  }
  return query;
}

bool UsageQuery::Wants(const UsageKey& key) const {
  if (!model_.empty() && key.model != model_) return false;
  if (judge_.empty() || key.judge == judge_) return true;
  return key.judge.starts_with(StrCat(judge_, "/revisions/"));
}

void UsageQuery::Add(const UsageKey& key, const UsageCounts& counts) {
  if (!Wants(key)) return;
  UsageKey group;
  if (by_experiment_) group.experiment = key.experiment;
  if (by_judge_) group.judge = key.judge;
  if (by_model_) group.model = key.model;
  rows_[{by_day_ ? key.day : 0, std::move(group)}].Add(counts);
  total_.Add(counts);
}

absl::StatusOr<v1::QueryUsageResponse> UsageQuery::Answer(
    const v1::QueryUsageRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  ASSAY_ASSIGN_OR_RETURN(const std::string cursor,
                         filter::DecodePageToken(ScopeOf(request), request.page_token()));
  int64_t skip = 0;
  if (!cursor.empty() && (!absl::SimpleAtoi(cursor, &skip) || skip < 0)) {
    return InvalidField("page_token", "it belongs elsewhere", "INVALID_PAGE_TOKEN");
  }
  v1::QueryUsageResponse response;
  *response.mutable_total() = RowOf(total_);
  int64_t index = 0;
  for (const auto& [group, counts] : rows_) {
    if (index++ < skip) continue;
    if (response.rows_size() == page_size) {
      response.set_next_page_token(
          filter::EncodePageToken(ScopeOf(request), StrCat(skip + page_size)));
      break;
    }
    v1::UsageRow row = RowOf(counts);
    const auto& [day, key] = group;
    if (!key.experiment.empty()) row.set_experiment(StrCat("experiments/", key.experiment));
    row.set_judge(key.judge);
    row.set_model(key.model);
    if (by_day_) row.set_day(absl::FormatCivilTime(CivilDayOf(day)));
    *response.add_rows() = std::move(row);
  }
  // Nothing at all is one row of nothing, where rows are not told apart.
  const bool one_row = !by_experiment_ && !by_judge_ && !by_model_ && !by_day_;
  if (one_row && rows_.empty()) *response.add_rows() = response.total();
  return response;
}

}  // namespace assay::judge
