#include "services/judge/core/evaluation/evaluation_spec.h"

#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/judging/judge_definition.h"
#include "common/judging/nested_judges.h"
#include "common/judging/scorer_definition.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxNameChars = 250;
constexpr size_t kMaxAddressBytes = 300;
constexpr absl::Duration kScorerTimeout = absl::Seconds(60);
constexpr absl::Duration kPredictorTimeout = absl::Seconds(120);
constexpr absl::Duration kMaxTimeout = absl::Minutes(10);

// What is wrong, under the reason of what was found first.
class SpecErrors {
 public:
  void Add(const std::string& field, const std::string& description) {
    if (errors_.empty()) reason_ = "INVALID_FIELD";
    errors_.Add(field, description);
  }
  void Add(const std::string& field, const absl::Status& status) {
    if (errors_.empty()) reason_ = ErrorReason(status);
    errors_.Add(field, status);
  }
  absl::Status ToStatus() const { return errors_.ToStatus(reason_); }

 private:
  FieldErrors errors_;
  std::string reason_;
};

void CheckName(const std::string& name, const std::string& field, std::set<std::string>* names,
               SpecErrors* errors) {
  if (name.empty()) return errors->Add(field, "is required");
  if (json::CountChars(name) > kMaxNameChars) {
    return errors->Add(field, StrCat("at most ", kMaxNameChars, " characters are allowed"));
  }
  if (!names->insert(name).second) {
    errors->Add(field, StrCat("`", name, "` is the name of another assessment of the evaluation"));
  }
}

void CheckAddress(const std::string& address, const std::string& field, const AddressRule& rule,
                  SpecErrors* errors) {
  if (address.empty()) return errors->Add(field, "is required, as host:port");
  if (address.size() > kMaxAddressBytes) {
    return errors->Add(field, StrCat("at most ", kMaxAddressBytes, " bytes are allowed"));
  }
  if (absl::Status allowed = rule(address); !allowed.ok()) {
    const std::vector<FieldViolation> violations = FieldViolations(allowed);
    errors->Add(field, violations.empty() ? std::string(ToStd(allowed.message()))
                                          : violations.front().description);
  }
}

void CheckDuration(bool present, absl::Duration fallback, absl::Duration least,
                   const std::string& field, google::protobuf::Duration* duration,
                   SpecErrors* errors) {
  if (!present) {
    *duration = proto::ToDuration(fallback);
    return;
  }
  const absl::Duration value = proto::FromDuration(*duration);
  if (value < least || value > kMaxTimeout) {
    errors->Add(field, StrCat("from ", absl::FormatDuration(least), " to ",
                              absl::FormatDuration(kMaxTimeout), " are allowed"));
  }
}

// Puts the JSON text in place of the value; `is_object` refuses all but objects.
void CheckJson(common::v1::JsonValue* value, const std::string& field, bool is_object,
               SpecErrors* errors) {
  absl::StatusOr<std::string> text =
      json::JsonText(*value, field, {.max_bytes = kMaxRowFieldBytes});
  if (!text.ok()) return errors->Add(field, text.status());
  if (text->size() > kMaxRowFieldBytes) {
    return errors->Add(field, StrCat("at most ", kMaxRowFieldBytes, " bytes of JSON are allowed"));
  }
  const size_t first = text->find_first_not_of(" \t\r\n");
  if (is_object && (first == std::string::npos || (*text)[first] != '{')) {
    return errors->Add(field, "must be a JSON object");
  }
  *value = json::JsonFromText(*std::move(text));
}

// Refuses scorers within a judge that the service may not call.
void CheckScorersWithin(const registry::v1::JudgeDefinition& definition, const std::string& field,
                        const AddressRule& rule, SpecErrors* errors) {
  judging::AnyJudge(definition, [&](const registry::v1::JudgeDefinition& judge) {
    if (judge.has_scorer()) CheckAddress(judge.scorer().address(), field, rule, errors);
    return false;
  });
}

void CheckJudge(v1::EvaluationJudge* judge, const std::string& field, const AddressRule& rule,
                std::set<std::string>* names, SpecErrors* errors) {
  switch (judge->judge_case()) {
    case v1::EvaluationJudge::kRegistered: {
      absl::StatusOr<names::JudgeRef> ref =
          names::JudgeRef::Parse(judge->registered(), field + ".registered");
      if (!ref.ok()) return errors->Add(field + ".registered", ref.status());
      if (judge->assessment_name().empty()) judge->set_assessment_name(ref->judge);
      break;
    }
    case v1::EvaluationJudge::kDefinition: {
      absl::Status valid =
          judging::ValidateJudgeDefinition(judge->definition(), field + ".definition");
      if (!valid.ok()) {
        errors->Add(field + ".definition", valid);
      } else {
        CheckScorersWithin(judge->definition(), field + ".definition.scorer.address", rule, errors);
      }
      break;
    }
    default:
      return errors->Add(field, "set one of: registered, definition");
  }
  CheckName(judge->assessment_name(), field + ".assessment_name", names, errors);
}

void CheckScorer(v1::Scorer* scorer, const std::string& field, const AddressRule& rule,
                 std::set<std::string>* names, SpecErrors* errors) {
  CheckName(scorer->scorer(), field + ".scorer", names, errors);
  CheckAddress(scorer->address(), field + ".address", rule, errors);
  if (scorer->max_concurrency() < 0 || scorer->max_concurrency() > judging::kMaxScorerConcurrency) {
    errors->Add(field + ".max_concurrency", "from 1 to 1,000 are allowed; 0 means 32");
  }
  // Asked before mutable_… makes it so: the order in which arguments are made is not fixed.
  const bool has_timeout = scorer->has_timeout();
  CheckDuration(has_timeout, kScorerTimeout, absl::Milliseconds(1), field + ".timeout",
                scorer->mutable_timeout(), errors);
}

void CheckPredictor(v1::Predictor* predictor, const AddressRule& rule, SpecErrors* errors) {
  const std::string field = "spec.predictor";
  CheckAddress(predictor->address(), field + ".address", rule, errors);
  const bool has_timeout = predictor->has_timeout();
  CheckDuration(has_timeout, kPredictorTimeout, absl::Milliseconds(1), field + ".timeout",
                predictor->mutable_timeout(), errors);
  const bool has_trace_wait = predictor->has_trace_wait();
  CheckDuration(has_trace_wait, absl::ZeroDuration(), absl::ZeroDuration(), field + ".trace_wait",
                predictor->mutable_trace_wait(), errors);
  if (predictor->has_parameters()) {
    CheckJson(predictor->mutable_parameters(), field + ".parameters", true, errors);
  }
}

void CheckRow(v1::EvaluationRow* row, const std::string& field, const names::ExperimentName& parent,
              bool has_predictor, SpecErrors* errors) {
  if (row->has_inputs()) {
    CheckJson(row->mutable_inputs(), field + ".inputs", true, errors);
  } else if (row->trace().empty()) {
    errors->Add(field + ".inputs", "is required, a JSON object, unless `trace` is given");
  }
  if (row->has_outputs()) {
    if (has_predictor) errors->Add(field + ".outputs", "must be absent: the predictor gives them");
    CheckJson(row->mutable_outputs(), field + ".outputs", false, errors);
  }
  if (row->has_expectations()) {
    CheckJson(row->mutable_expectations(), field + ".expectations", true, errors);
  }
  if (row->trace().empty()) return;
  if (has_predictor) {
    return errors->Add(field + ".trace", "must be absent: the predictor makes the row's trace");
  }
  absl::StatusOr<names::TraceName> trace = names::TraceName::Parse(row->trace(), field + ".trace");
  if (!trace.ok()) return errors->Add(field + ".trace", trace.status());
  if (trace->experiment != parent.experiment) {
    errors->Add(field + ".trace", StrCat("must be a trace of ", parent.ToString()));
  }
}

}  // namespace

absl::StatusOr<v1::EvaluationSpec> CheckedSpec(const v1::EvaluationSpec& spec,
                                               const AddressRule& address_rule) {
  v1::EvaluationSpec checked = spec;
  SpecErrors errors;
  std::set<std::string> names;
  if (checked.judges().empty() && checked.scorers().empty()) {
    errors.Add("spec.judges", "at least one judge or scorer is required");
  }
  if (checked.judges_size() > kMaxEvaluationJudges) {
    errors.Add("spec.judges", StrCat("at most ", kMaxEvaluationJudges, " are allowed"));
  }
  if (checked.scorers_size() > kMaxEvaluationJudges) {
    errors.Add("spec.scorers", StrCat("at most ", kMaxEvaluationJudges, " are allowed"));
  }
  if (absl::Status few = errors.ToStatus(); !few.ok()) return few;
  for (int i = 0; i < checked.judges_size(); ++i) {
    CheckJudge(checked.mutable_judges(i), StrCat("spec.judges[", i, "]"), address_rule, &names,
               &errors);
  }
  for (int i = 0; i < checked.scorers_size(); ++i) {
    CheckScorer(checked.mutable_scorers(i), StrCat("spec.scorers[", i, "]"), address_rule, &names,
                &errors);
  }
  if (checked.has_predictor()) CheckPredictor(checked.mutable_predictor(), address_rule, &errors);
  if (checked.parallelism() == 0) checked.set_parallelism(kDefaultParallelism);
  if (checked.parallelism() < 0 || checked.parallelism() > kMaxParallelism) {
    errors.Add("spec.parallelism", StrCat("from 1 to ", kMaxParallelism, " are allowed"));
  }
  if (absl::Status status = errors.ToStatus(); !status.ok()) return status;
  return checked;
}

absl::StatusOr<std::vector<v1::EvaluationRow>> CheckedRows(
    const google::protobuf::RepeatedPtrField<v1::EvaluationRow>& rows,
    const names::ExperimentName& parent, bool has_predictor) {
  if (rows.size() > kMaxRowsPerRequest) {
    return InvalidField("rows",
                        StrCat("at most ", kMaxRowsPerRequest, " are allowed; append more"));
  }
  SpecErrors errors;
  std::vector<v1::EvaluationRow> checked(rows.begin(), rows.end());
  for (size_t i = 0; i < checked.size(); ++i) {
    CheckRow(&checked[i], StrCat("rows[", i, "]"), parent, has_predictor, &errors);
  }
  if (absl::Status status = errors.ToStatus(); !status.ok()) return status;
  return checked;
}

}  // namespace assay::judge
