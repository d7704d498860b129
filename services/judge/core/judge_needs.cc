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

bool LooksForMissing(const JudgeDefinition& definition, const Subject& subject) {
  const registry::v1::InstructionsJudge& judge = definition.instructions();
  if (!definition.has_instructions() || subject.trace == nullptr ||
      judge.trace_reading().mode() == registry::v1::TraceReading::MODE_SHOWN) {
    return false;
  }
  const bool no_inputs = !subject.inputs.has_value() && !subject.trace->has_inputs();
  const bool no_outputs = !subject.outputs.has_value() && !subject.trace->has_outputs();
  return (no_inputs && judging::RefersTo(judge, judging::VariableKind::kInputs)) ||
         (no_outputs && judging::RefersTo(judge, judging::VariableKind::kOutputs));
}

}  // namespace assay::judge
