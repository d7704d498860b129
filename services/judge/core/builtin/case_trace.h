// Traces in the short form of labelled cases. For tests.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CASE_TRACE_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CASE_TRACE_H_

#include <memory>

#include "assay/trace/v1/trace.pb.h"
#include "common/json/safe_json.h"

namespace assay::judge {

// {"name", "inputs", "outputs", "spans": [{"id", "parent", "type", "name", "start", "inputs",
// "outputs", "documents": [{"id", "content", "uri"}], "tool", "error", "tools": [{"name",
// "description", "parameters"}], "system", "calls": [{"name", "arguments"}]}], "truncated",
// "expectations": {...} of a person, "model_expectations", "feedback"}. `start` is in seconds.
std::shared_ptr<const trace::v1::Trace> CaseTrace(const json::Node& node);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CASE_TRACE_H_
