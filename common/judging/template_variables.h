// The variables that a judge's instructions may refer to: `{{ inputs }}`, `{{ outputs.message }}`
// and so on.
#ifndef ASSAY_COMMON_JUDGING_TEMPLATE_VARIABLES_H_
#define ASSAY_COMMON_JUDGING_TEMPLATE_VARIABLES_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/judging/judge_path.h"

namespace assay::judging {

// Distinct variables in one text.
inline constexpr size_t kMaxTemplateVariables = 100;

enum class VariableKind { kInputs, kOutputs, kExpectations, kTrace, kConversation };

// "inputs" and so on.
std::string_view VariableKindName(VariableKind kind);

struct TemplateVariable {
  VariableKind kind;
  // As it is written, without the white space around: `inputs`, `outputs.message`, or a name of
  // one's own. The block that shows its value has this name.
  std::string name;
  // Of kInputs, kOutputs and kExpectations: where the value is.
  JudgePath path;

  bool operator==(const TemplateVariable&) const = default;
};

// The distinct variables in `text`, by first appearance. A variable is `{{ name }}` or
// `{{ name.path }}`, white space optional; all else in braces, braces that are not closed included,
// is plain text. `named` gives paths names of their own (valid by ValidateNamedInputs). Errors:
// INVALID_ARGUMENT about `field`, reason UNKNOWN_TEMPLATE_VARIABLE for another name or for a path
// below the trace or the conversation, MISSING_TEMPLATE_VARIABLE if there is none,
// INVALID_TEMPLATE_VARIABLES for a path that cannot be read, for the conversation together with
// anything but expectations, and for more than kMaxTemplateVariables. Thread-safe, as all here.
absl::StatusOr<std::vector<TemplateVariable>> ParseTemplateVariables(
    std::string_view text, std::string_view field,
    const std::map<std::string, std::string>& named = {});

// Whether one of them is of this kind.
bool HasKind(const std::vector<TemplateVariable>& variables, VariableKind kind);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_TEMPLATE_VARIABLES_H_
