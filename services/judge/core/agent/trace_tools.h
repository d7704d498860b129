// The tools with which a model reads a trace that does not fit into a prompt.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_TOOLS_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_TOOLS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "assay/trace/v1/trace.pb.h"
#include "services/judge/core/agent/tool_arguments.h"
#include "services/judge/core/agent/trace_index.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// What one result holds of a trace at most; further bytes are on the next page.
inline constexpr size_t kMaxToolResultBytes = 100'000;

// What people, judges and code said of a trace: a JSON list. Thread-safe.
std::string AssessmentsJson(const trace::v1::Trace& trace);

// Pure functions over one trace: get_trace_info, get_root_span, get_span, list_spans,
// search_trace_regex, get_span_performance_and_timing_report. Thread-safe.
class TraceTools {
 public:
  // `trace` is not null. Assessments are hidden unless `show_assessments`.
  TraceTools(std::shared_ptr<const trace::v1::Trace> trace, bool show_assessments);

  // What a model is offered; always the same.
  static const std::vector<ModelTool>& Offered();

  // The result: a fenced block of JSON (common/judging/prompt_fence.h), for a trace is data; or one
  // line `Error: ...` that says what to do instead. At most kMaxToolResultBytes of the trace, plus
  // what JSON and the fence add.
  std::string Run(const ModelToolCall& call) const;

 private:
  struct Result;  // JSON text, or an error.

  Result TraceInfo(ToolArguments arguments) const;
  Result RootSpan(ToolArguments arguments) const;
  Result AnySpan(ToolArguments arguments) const;
  Result SpanContent(const trace::v1::Span& span, ToolArguments arguments) const;
  Result ListSpans(ToolArguments arguments) const;
  Result Search(ToolArguments arguments) const;
  Result Timing(ToolArguments arguments) const;
  std::string CutNote() const;

  const TraceIndex index_;
  const bool show_assessments_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_TOOLS_H_
