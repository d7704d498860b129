#include "services/judge/core/builtin/question.h"

#include <utility>

#include "common/judging/builtin_definition.h"
#include "common/judging/judge_definition.h"
#include "common/judging/prompt_fence.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/judge_machine.h"
#include "services/judge/core/prompt.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakeBuiltinQuestion(const JudgingSetup& setup,
                                                             BuiltinQuestion question) {
  const registry::v1::JudgeDefinition& definition = *setup.definition;
  const judging::BuiltinTraits* builtin = judging::FindBuiltinJudge(definition.builtin().builtin());
  if (builtin == nullptr) return absl::InternalError("no built-in judge");
  ASSAY_ASSIGN_OR_RETURN(JudgePlan plan, PlanOf(setup));
  PromptParts parts;
  parts.rules =
      StrCat("\n", kBuiltinLead, "`", builtin->name, "`. Judge by these instructions alone:\n\n",
             judging::FencedBlock(kInstructionsBlock, question.prompt));
  parts.material = std::move(question.material);
  registry::v1::JudgeMemory guidelines_only;
  if (!question.part.empty()) {
    *guidelines_only.mutable_guidelines() = definition.memory().guidelines();
    if (!plan.idempotency_key.empty()) StrAppend(&plan.idempotency_key, "/", question.part);
  }
  const common::v1::ValueType type = judging::EffectiveValueType(definition);
  const bool yes_or_no = type.category_type().categories_size() == 2;
  plan.prompt =
      AssemblePrompt(parts, type, yes_or_no,
                     question.part.empty() ? definition.memory() : guidelines_only, *setup.subject);
  return std::make_unique<JudgeMachine>(std::move(plan));
}

}  // namespace assay::judge
