#include "services/judge/core/subject.h"

#include <utility>

#include "absl/status/statusor.h"
#include "common/json/json_reader.h"
#include "common/json/json_value.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {

using trace::v1::Trace;

std::map<std::string, std::string> HumanExpectations(const Trace& trace) {
  std::map<std::string, std::string> expectations;
  for (const trace::v1::AssessmentDigest& digest : trace.assessments()) {
    if (!digest.expectation() || !digest.span_id().empty() || !digest.has_value()) continue;
    if (digest.source().kind() != common::v1::SOURCE_KIND_HUMAN) continue;
    absl::StatusOr<std::string> value = json::JsonText(digest.value(), "expectations");
    if (value.ok()) expectations[digest.assessment_name()] = *std::move(value);
  }
  return expectations;
}

const Trace* ExpectationsTrace(const Subject& subject) {
  if (subject.trace != nullptr) return subject.trace.get();
  return subject.session.empty() ? nullptr : subject.session.front().get();
}

absl::Status FillFromTrace(Subject* subject) {
  const Trace* labelled = ExpectationsTrace(*subject);
  if (labelled == nullptr) return absl::OkStatus();
  if (!subject->expectations.has_value()) {
    std::string object;
    for (const auto& [name, value] : HumanExpectations(*labelled)) {
      StrAppend(&object, object.empty() ? "{" : ",", json::JsonString(name), ":", value);
    }
    if (!object.empty()) subject->expectations = object + "}";
  }
  if (subject->trace_name.empty()) subject->trace_name = labelled->name();
  if (subject->trace == nullptr) return absl::OkStatus();
  const Trace& trace = *subject->trace;
  if (!subject->inputs.has_value() && trace.has_inputs()) {
    ASSAY_ASSIGN_OR_RETURN(subject->inputs, json::JsonText(trace.inputs(), "trace.inputs"));
  }
  if (!subject->outputs.has_value() && trace.has_outputs()) {
    ASSAY_ASSIGN_OR_RETURN(subject->outputs, json::JsonText(trace.outputs(), "trace.outputs"));
  }
  return absl::OkStatus();
}

}  // namespace assay::judge
