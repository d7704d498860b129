// The variables that a judge's instructions may refer to: `{{ inputs }}` and so on.
#ifndef ASSAY_COMMON_JUDGING_TEMPLATE_VARIABLES_H_
#define ASSAY_COMMON_JUDGING_TEMPLATE_VARIABLES_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace assay::judging {

enum class TemplateVariable { kInputs, kOutputs, kExpectations, kTrace };

// "inputs" and so on.
std::string_view TemplateVariableName(TemplateVariable variable);

// The distinct variables in `text`, by first appearance. A variable is `{{ name }}`, white space
// optional. Errors: INVALID_ARGUMENT about `field`, reason UNKNOWN_TEMPLATE_VARIABLE for another
// name, MISSING_TEMPLATE_VARIABLE if there is none. Thread-safe.
absl::StatusOr<std::vector<TemplateVariable>> ParseTemplateVariables(std::string_view text,
                                                                     std::string_view field);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_TEMPLATE_VARIABLES_H_
