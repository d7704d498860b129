#include "services/judge/core/subject.h"

#include "common/json/json_value.h"
#include "common/status/status_macros.h"

namespace assay::judge {

absl::Status FillFromTrace(Subject* subject) {
  if (subject->trace == nullptr) return absl::OkStatus();
  const trace::v1::Trace& trace = *subject->trace;
  if (!subject->inputs.has_value() && trace.has_inputs()) {
    ASSAY_ASSIGN_OR_RETURN(subject->inputs, json::JsonText(trace.inputs(), "trace.inputs"));
  }
  if (!subject->outputs.has_value() && trace.has_outputs()) {
    ASSAY_ASSIGN_OR_RETURN(subject->outputs, json::JsonText(trace.outputs(), "trace.outputs"));
  }
  if (subject->trace_name.empty()) subject->trace_name = trace.name();
  return absl::OkStatus();
}

}  // namespace assay::judge
