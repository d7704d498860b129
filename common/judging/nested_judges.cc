#include "common/judging/nested_judges.h"

#include "common/judging/field_path.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using registry::v1::JudgeDefinition;

absl::Status CheckNesting(const JudgeDefinition& definition, std::string_view field, int depth,
                          int* judges) {
  if (definition.has_panel() || definition.has_cascade()) ++depth;
  if (depth > kMaxJudgeDepth) {
    return InvalidField(
        field, StrCat("is nested too deep; panels and cascades nest at most ", kMaxJudgeDepth),
        "JUDGES_NESTED_TOO_DEEP");
  }
  const std::vector<NestedJudge> nested = NestedJudgesOf(definition);
  if (nested.empty() && ++*judges > kMaxNestedJudges) {
    return InvalidField(field,
                        StrCat("is one judge too many; at most ", kMaxNestedJudges,
                               " are allowed in one definition"),
                        "TOO_MANY_JUDGES");
  }
  for (const NestedJudge& judge : nested) {
    ASSAY_RETURN_IF_ERROR(
        CheckNesting(*judge.definition, FieldPath(field, judge.field), depth, judges));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<NestedJudge> NestedJudgesOf(const JudgeDefinition& definition) {
  std::vector<NestedJudge> nested;
  for (int i = 0; i < definition.panel().members_size(); ++i) {
    nested.push_back(
        {&definition.panel().members(i).judge(), StrCat("panel.members[", i, "].judge")});
  }
  for (int i = 0; i < definition.cascade().stages_size(); ++i) {
    nested.push_back(
        {&definition.cascade().stages(i).judge(), StrCat("cascade.stages[", i, "].judge")});
  }
  if (definition.builtin().has_last_turn_judge()) {
    nested.push_back({&definition.builtin().last_turn_judge(), "builtin.last_turn_judge"});
  }
  return nested;
}

bool AnyJudge(const JudgeDefinition& definition,
              const std::function<bool(const JudgeDefinition&)>& holds) {
  if (holds(definition)) return true;
  for (const NestedJudge& judge : NestedJudgesOf(definition)) {
    if (AnyJudge(*judge.definition, holds)) return true;
  }
  return false;
}

absl::Status ValidateNesting(const JudgeDefinition& definition, std::string_view field) {
  int judges = 0;
  return CheckNesting(definition, field, 0, &judges);
}

bool SameValueType(const common::v1::ValueType& a, const common::v1::ValueType& b) {
  // Messages without maps and unknown fields: equal bytes are equal types.
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace assay::judging
