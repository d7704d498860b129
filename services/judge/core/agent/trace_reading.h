// Whether a judge by instructions is shown a trace, or reads it with tools.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_READING_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_READING_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

struct TraceReadingChoice {
  bool with_tools = false;
  std::string why;  // For the verdict's metadata, where it is with tools.
};

// For a valid definition of any kind. With tools: TraceReading says so, or the trace does not fit
// into the prompt, or the instructions need inputs or outputs that its root span does not have; all
// but the first only if the model and its fallbacks can call tools. Errors: FAILED_PRECONDITION
// TOOLS_UNSUPPORTED and MODEL_NOT_CONFIGURED; INVALID_ARGUMENT MISSING_JUDGE_INPUT for inputs that
// are missing where nobody can look for them. Thread-safe, as all here.
absl::StatusOr<TraceReadingChoice> ChooseTraceReading(const JudgingSetup& setup);

// The machine for a choice with tools. Errors as RenderPrompt.
absl::StatusOr<std::unique_ptr<Judging>> MakeAgentJudging(const JudgingSetup& setup,
                                                          const TraceReadingChoice& choice);

// The block with what people and judges said of the trace, for a judge that is shown the trace and
// asks for them (TraceReading.show_assessments); "" for any other.
std::string ShownAssessments(const JudgingSetup& setup);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_READING_H_
