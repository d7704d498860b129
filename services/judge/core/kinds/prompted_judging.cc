#include "services/judge/core/kinds/prompted_judging.h"

#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/judge/core/agent/trace_reading.h"
#include "services/judge/core/judge_machine.h"
#include "services/judge/core/judge_plan.h"
#include "services/judge/core/prompt.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakePromptedJudging(const JudgingSetup& setup) {
  if (setup.definition == nullptr) return absl::InternalError("a judge without a definition");
  ASSAY_ASSIGN_OR_RETURN(const TraceReadingChoice reading, ChooseTraceReading(setup));
  if (reading.with_tools) return MakeAgentJudging(setup, reading);
  ASSAY_ASSIGN_OR_RETURN(JudgePlan plan, PlanOf(setup));
  ASSAY_ASSIGN_OR_RETURN(plan.prompt, RenderPrompt(*setup.definition, *setup.subject));
  plan.prompt.messages.back().text += ShownAssessments(setup);
  return std::make_unique<JudgeMachine>(std::move(plan));
}

}  // namespace assay::judge
