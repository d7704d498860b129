// The rules of judges by free instructions.
#ifndef ASSAY_COMMON_JUDGING_INSTRUCTIONS_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_INSTRUCTIONS_DEFINITION_H_

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/registry/v1/judge.pb.h"
#include "common/judging/template_variables.h"

namespace assay::judging {

inline constexpr int kMaxNamedInputs = 50;

// OK, or INVALID_ARGUMENT about a field below `field` (the path of the instructions judge). Reasons:
// those of ParseTemplateVariables about `instructions`, INVALID_NAMED_INPUTS, INVALID_FIELD.
// Thread-safe, as all here.
absl::Status ValidateInstructionsJudge(const registry::v1::InstructionsJudge& judge,
                                       std::string_view field);

// The variables of its instructions, named inputs included; `field` as there. Errors as
// ParseTemplateVariables.
absl::StatusOr<std::vector<TemplateVariable>> VariablesOf(
    const registry::v1::InstructionsJudge& judge, std::string_view field = "instructions");

// Whether its instructions refer to `kind`; false for instructions that break a rule.
bool RefersTo(const registry::v1::InstructionsJudge& judge, VariableKind kind);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_INSTRUCTIONS_DEFINITION_H_
