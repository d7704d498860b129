#include "common/judging/cascade_definition.h"

#include <string>

#include "common/json/utf8.h"
#include "common/judging/value_type.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using common::v1::ValueType;
using registry::v1::CascadeJudge;
using registry::v1::CascadeStage;
using registry::v1::JudgeDefinition;
using registry::v1::PanelJudge;

constexpr std::string_view kReason = "INVALID_CASCADE";
constexpr int kMinStages = 2;
constexpr int kMaxStages = 10;

bool MeasuresConfidence(const JudgeDefinition& judge) {
  if (judge.has_panel()) return judge.panel().aggregation() == PanelJudge::AGGREGATION_MAJORITY;
  return judge.has_confidence();
}

}  // namespace

absl::Status ValidateCascadeJudge(const CascadeJudge& cascade, std::string_view field,
                                  const DefinitionRules& rules) {
  const std::string stages = StrCat(field, ".stages");
  const int count = cascade.stages_size();
  if (count < kMinStages || count > kMaxStages) {
    return InvalidField(stages, StrCat("has ", count, " stages; 2 to 10 are allowed"));
  }
  const ValueType expected = CascadeValueType(cascade, rules);
  for (int i = 0; i < count; ++i) {
    const CascadeStage& stage = cascade.stages(i);
    const std::string path = StrCat(stages, "[", i, "]");
    if (stage.has_least_confidence() &&
        !(stage.least_confidence() >= 0 && stage.least_confidence() <= 1)) {
      return InvalidField(StrCat(path, ".least_confidence"), "must be from 0 to 1");
    }
    if (!stage.has_judge()) return InvalidField(StrCat(path, ".judge"), "must be given");
    ASSAY_RETURN_IF_ERROR(rules.validate(stage.judge(), StrCat(path, ".judge")));
    const ValueType type = rules.value_type(stage.judge());
    if (type.kind_case() != ValueType::KIND_NOT_SET && !SameValueType(type, expected)) {
      return InvalidField(path,
                          StrCat("gives ", json::PreviewOf(DescribeValueType(type), 500),
                                 "; all stages must have one type, as the first: ",
                                 json::PreviewOf(DescribeValueType(expected), 500)),
                          kReason);
    }
    if (i + 1 < count && !MeasuresConfidence(stage.judge())) {
      return InvalidField(StrCat(path, ".judge.confidence"),
                          "must be given: all stages but the last need a confidence, or are a "
                          "panel by majority",
                          kReason);
    }
  }
  return absl::OkStatus();
}

ValueType CascadeValueType(const CascadeJudge& cascade, const DefinitionRules& rules) {
  for (const CascadeStage& stage : cascade.stages()) {
    ValueType type = rules.value_type(stage.judge());
    if (type.kind_case() != ValueType::KIND_NOT_SET) return type;
  }
  return {};
}

}  // namespace assay::judging
