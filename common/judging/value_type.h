// The declared type of a judge's value: its own rules, the values it allows, and its JSON Schema.
#ifndef ASSAY_COMMON_JUDGING_VALUE_TYPE_H_
#define ASSAY_COMMON_JUDGING_VALUE_TYPE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"

namespace assay::judging {

// OK, or INVALID_ARGUMENT about a field at or below `field`, reason INVALID_VALUE_TYPE.
// Thread-safe, as all here.
absl::Status ValidateValueType(const common::v1::ValueType& type, std::string_view field);

// Whether `json_text` is a value of `type` (a type that is not set allows any text). Errors:
// INVALID_ARGUMENT about `field`, reason VALUE_OUTSIDE_TYPE, with what is allowed; INVALID_JSON if
// it is no JSON.
absl::Status ValidateValue(const common::v1::ValueType& type, std::string_view json_text,
                           std::string_view field);

// What the type allows, in words: `one of "good", "bad"`, `a whole number from 1 to 5`, `true or
// false`.
std::string DescribeValueType(const common::v1::ValueType& type);

// The type as a JSON Schema.
std::string JsonSchemaFor(const common::v1::ValueType& type);

// The schema of a verdict: {"rationale": text, "result": a value of the type}, both required,
// nothing else.
std::string VerdictSchemaFor(const common::v1::ValueType& type);

// One spelling of a value for comparison and counting: a string without its quotes, a number in
// canonical form, `true`, `false`, `null`, all else as canonical JSON. `json_text` must be valid
// JSON; what is not is returned as it is.
std::string ValueKey(std::string_view json_text);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_VALUE_TYPE_H_
