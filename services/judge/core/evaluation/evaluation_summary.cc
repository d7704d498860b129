#include "services/judge/core/evaluation/evaluation_summary.h"

#include <algorithm>
#include <optional>
#include <set>

#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

using ::assay::common::v1::Outcome;
using ::assay::common::v1::ValueType;
using ::assay::storage::v1::AssessmentTallyRecord;
using ::assay::storage::v1::EvaluationRecord;
using ::assay::storage::v1::EvaluationTallyRecord;

constexpr size_t kMaxCategoryChars = 250;

void Add(AssessmentTallyRecord* tally, double number) {
  tally->set_number_count(tally->number_count() + 1);
  tally->set_number_sum(tally->number_sum() + number);
}

void AddOther(AssessmentTallyRecord* tally) { tally->set_other_count(tally->other_count() + 1); }

void AddCategory(AssessmentTallyRecord* tally, const std::string& category) {
  if (tally->free_text()) return;
  ++(*tally->mutable_category_counts())[category];
  if (tally->category_counts().size() <= kMaxCategories) return;
  tally->clear_category_counts();
  tally->set_free_text(true);
}

void AddRank(AssessmentTallyRecord* tally, const common::v1::CategoryType& type,
             const std::string& category) {
  const auto found = std::find(type.categories().begin(), type.categories().end(), category);
  if (found == type.categories().end()) return;
  tally->set_rank_count(tally->rank_count() + 1);
  tally->set_rank_sum(tally->rank_sum() + (found - type.categories().begin()) + 1);
}

void AddText(AssessmentTallyRecord* tally, const ValueType* type, const std::string& text) {
  const bool is_yes_or_no = text == "yes" || text == "no";
  if (is_yes_or_no) {
    Add(tally, text == "yes" ? 1.0 : 0.0);
  } else {
    AddOther(tally);
  }
  const bool is_category = type == nullptr ? json::CountChars(text) <= kMaxCategoryChars
                                           : type->has_category_type() || is_yes_or_no;
  if (is_category) AddCategory(tally, text);
  if (type != nullptr && type->has_category_type() && type->category_type().ordered()) {
    AddRank(tally, type->category_type(), text);
  }
}

void AddValue(AssessmentTallyRecord* tally, const ValueType* type, const std::string& json_text) {
  tally->set_value_count(tally->value_count() + 1);
  absl::StatusOr<json::Node> value = json::ParseJson(json_text);
  if (!value.ok()) return AddOther(tally);
  if (value->is_null()) return;
  if (value->is_bool()) {
    Add(tally, value->boolean ? 1.0 : 0.0);
    return AddCategory(tally, value->boolean ? "true" : "false");
  }
  if (value->is_string()) return AddText(tally, type, value->text);
  const std::optional<double> number = value->AsDouble();
  if (!number.has_value()) return AddOther(tally);
  Add(tally, *number);
}

void AddResult(const v1::EvaluationResult& result, const ValueTypes& types,
               EvaluationTallyRecord* tally) {
  AssessmentTallyRecord& named = (*tally->mutable_assessments())[result.assessment_name()];
  switch (result.feedback().outcome()) {
    case common::v1::OUTCOME_VALUE: {
      const auto type = types.find(result.assessment_name());
      AddValue(&named, type == types.end() ? nullptr : &type->second,
               result.feedback().value().json_text());
      break;
    }
    case common::v1::OUTCOME_ABSTAINED:
      named.set_abstained_count(named.abstained_count() + 1);
      break;
    case common::v1::OUTCOME_SKIPPED:
      named.set_skipped_count(named.skipped_count() + 1);
      break;
    default:
      named.set_error_count(named.error_count() + 1);
  }
}

void AddJudgement(Outcome outcome, EvaluationTallyRecord* tally) {
  switch (outcome) {
    case common::v1::OUTCOME_VALUE:
      return tally->set_judgements_value(tally->judgements_value() + 1);
    case common::v1::OUTCOME_ABSTAINED:
      return tally->set_judgements_abstained(tally->judgements_abstained() + 1);
    case common::v1::OUTCOME_SKIPPED:
      return tally->set_judgements_skipped(tally->judgements_skipped() + 1);
    default:
      return tally->set_judgements_error(tally->judgements_error() + 1);
  }
}

// The categories that a type declares: they are reported also where they never came.
std::vector<std::string> DeclaredCategories(const ValueType& type) {
  if (type.has_bool_type()) return {"true", "false"};
  return {type.category_type().categories().begin(), type.category_type().categories().end()};
}

v1::AssessmentSummary SummaryOf(const std::string& name, const ValueTypes& types,
                                const AssessmentTallyRecord& tally) {
  v1::AssessmentSummary summary;
  summary.set_assessment_name(name);
  summary.set_value_count(tally.value_count());
  summary.set_error_count(tally.error_count());
  summary.set_abstained_count(tally.abstained_count());
  summary.set_skipped_count(tally.skipped_count());
  if (tally.number_count() > 0 && tally.other_count() == 0) {
    summary.set_mean(tally.number_sum() / static_cast<double>(tally.number_count()));
  }
  *summary.mutable_category_counts() = tally.category_counts();
  if (const auto type = types.find(name); type != types.end()) {
    for (const std::string& category : DeclaredCategories(type->second)) {
      summary.mutable_category_counts()->insert({category, 0});
    }
  }
  if (tally.rank_count() > 0) {
    summary.set_mean_rank(static_cast<double>(tally.rank_sum()) /
                          static_cast<double>(tally.rank_count()));
  }
  return summary;
}

void AddMetrics(const v1::AssessmentSummary& summary, v1::Evaluation* evaluation) {
  auto& metrics = *evaluation->mutable_metrics();
  const std::string& name = summary.assessment_name();
  if (summary.has_mean()) metrics[name + "/mean"] = summary.mean();
  if (summary.has_mean_rank()) metrics[name + "/mean_rank"] = summary.mean_rank();
  if (summary.value_count() == 0) return;
  for (const auto& [category, count] : summary.category_counts()) {
    metrics[StrCat(name, "/share/", category)] =
        static_cast<double>(count) / static_cast<double>(summary.value_count());
  }
}

}  // namespace

Outcome JudgementOutcome(const std::vector<v1::EvaluationResult>& results) {
  bool value = false;
  bool skipped = false;
  for (const v1::EvaluationResult& result : results) {
    if (result.feedback().outcome() == common::v1::OUTCOME_ERROR) return common::v1::OUTCOME_ERROR;
    value = value || result.feedback().outcome() == common::v1::OUTCOME_VALUE;
    skipped = skipped || result.feedback().outcome() == common::v1::OUTCOME_SKIPPED;
  }
  if (value) return common::v1::OUTCOME_VALUE;
  return skipped ? common::v1::OUTCOME_SKIPPED : common::v1::OUTCOME_ABSTAINED;
}

void AddToTally(const RowOutcome& row, const ValueTypes& types, EvaluationTallyRecord* tally) {
  tally->set_schema_version(1);
  tally->set_rows_done(tally->rows_done() + 1);
  if (row.result.has_predict_error()) tally->set_rows_failed(tally->rows_failed() + 1);
  for (const Outcome outcome : row.judgements) AddJudgement(outcome, tally);
  for (const v1::EvaluationResult& result : row.result.results()) AddResult(result, types, tally);
  common::v1::Usage& usage = *tally->mutable_usage();
  usage.set_input_tokens(usage.input_tokens() + row.usage.input_tokens());
  usage.set_output_tokens(usage.output_tokens() + row.usage.output_tokens());
  usage.set_model_calls(usage.model_calls() + row.usage.model_calls());
}

void Summarize(const EvaluationRecord& record, const EvaluationTallyRecord& tally,
               v1::Evaluation* evaluation) {
  v1::EvaluationProgress& progress = *evaluation->mutable_progress();
  progress.set_rows_total(record.rows_total());
  progress.set_rows_closed(record.rows_closed());
  progress.set_rows_done(tally.rows_done());
  progress.set_rows_failed(tally.rows_failed());
  const v1::EvaluationSpec& spec = record.evaluation().spec();
  progress.set_judgements_total(record.rows_total() * (spec.judges_size() + spec.scorers_size()));
  progress.set_judgements_value(tally.judgements_value());
  progress.set_judgements_error(tally.judgements_error());
  progress.set_judgements_abstained(tally.judgements_abstained());
  progress.set_judgements_skipped(tally.judgements_skipped());
  *evaluation->mutable_usage() = tally.usage();
  // Sorted, for the map has no order.
  std::set<std::string> names;
  for (const auto& [name, unused] : tally.assessments()) names.insert(name);
  for (const std::string& name : names) {
    v1::AssessmentSummary summary =
        SummaryOf(name, record.value_types(), tally.assessments().at(name));
    AddMetrics(summary, evaluation);
    *evaluation->add_summaries() = std::move(summary);
  }
}

}  // namespace assay::judge
