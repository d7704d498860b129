#include "services/judge/core/judge_needs.h"

#include <algorithm>

#include "common/judging/builtin_definition.h"
#include "common/judging/instructions_definition.h"

namespace assay::judge {

using registry::v1::JudgeDefinition;

bool NeedsSpans(const JudgeDefinition& definition) {
  switch (definition.kind_case()) {
    case JudgeDefinition::kInstructions:
      return definition.instructions().include_tool_calls() ||
             definition.instructions().include_timing() ||
             judging::RefersTo(definition.instructions(), judging::VariableKind::kTrace);
    case JudgeDefinition::kBuiltin:
      return judging::BuiltinReadsTrace(definition);
    case JudgeDefinition::kPanel: {
      const auto& members = definition.panel().members();
      return std::any_of(members.begin(), members.end(),
                         [](const auto& member) { return NeedsSpans(member.judge()); });
    }
    case JudgeDefinition::kCascade: {
      const auto& stages = definition.cascade().stages();
      return std::any_of(stages.begin(), stages.end(),
                         [](const auto& stage) { return NeedsSpans(stage.judge()); });
    }
    case JudgeDefinition::kGuidelines:
    case JudgeDefinition::kCode:
    case JudgeDefinition::kPairwise:
    case JudgeDefinition::kScorer:
    case JudgeDefinition::KIND_NOT_SET:
      break;
  }
  return false;
}

}  // namespace assay::judge
