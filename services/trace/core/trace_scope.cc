#include "services/trace/core/trace_scope.h"

#include "common/names/resource_name.h"
#include "services/trace/core/otlp_wire_reader.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

// False if the text is neither an id nor a resource name. A name gives the experiment too.
bool ReadEvaluation(std::string_view text, std::string* experiment, std::string* evaluation) {
  if (names::IsSlug(text)) {
    *evaluation = text;
    return true;
  }
  auto name = names::EvaluationName::Parse(text);
  if (!name.ok()) return false;
  *experiment = name->experiment;
  *evaluation = name->evaluation;
  return true;
}

bool IsTrue(std::string_view any_value) {
  std::string_view text;
  if (AnyValueString(any_value, &text)) return text == "true";
  WireCursor cursor(any_value);
  WireField field;
  bool is_true = false;
  // The last member of a oneof wins; the second is the boolean.
  while (cursor.Next(&field)) {
    is_true = field.number == 2 && field.type == WireType::kVarint && field.value != 0;
  }
  return is_true && cursor.ok();
}

}  // namespace

std::string_view ResolveBinding(std::string_view resource, const RequestScope& request,
                                TraceBinding* binding) {
  std::string_view experiment;
  std::string_view evaluation;
  ForEachResourceAttribute(resource, [&](std::string_view key, std::string_view value) {
    if (key == "assay.experiment") AnyValueString(value, &experiment);
    if (key == "assay.evaluation") AnyValueString(value, &evaluation);
    return true;
  });
  if (experiment.empty()) experiment = request.experiment;
  if (evaluation.empty()) evaluation = request.evaluation;

  constexpr std::string_view kPrefix = "experiments/";
  if (experiment.starts_with(kPrefix)) experiment.remove_prefix(kPrefix.size());
  if (!experiment.empty() && !names::IsSlug(experiment)) return kRejectExperiment;

  std::string experiment_of_evaluation(experiment);
  if (!evaluation.empty() &&
      !ReadEvaluation(evaluation, &experiment_of_evaluation, &binding->evaluation)) {
    return kRejectEvaluation;
  }
  if (!experiment.empty() && experiment != experiment_of_evaluation) return kRejectEvaluation;
  binding->experiment =
      experiment_of_evaluation.empty() ? std::string(kDefaultExperiment) : experiment_of_evaluation;
  return "";
}

bool SaysComplete(std::string_view resource) {
  bool complete = false;
  ForEachResourceAttribute(resource, [&](std::string_view key, std::string_view value) {
    if (key == "assay.complete") complete = IsTrue(value);
    return true;
  });
  return complete;
}

}  // namespace assay::trace
