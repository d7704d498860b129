// The rules of deterministic checks.
#ifndef ASSAY_COMMON_JUDGING_CODE_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_CODE_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judging {

// OK, or INVALID_ARGUMENT about a field at or below `field` (the path of the judge). Reasons:
// INVALID_FIELD, INVALID_REGEX, INVALID_JSON_SCHEMA. Thread-safe, as all here.
absl::Status ValidateCodeJudge(const registry::v1::CodeJudge& judge, std::string_view field);

// Bool; of edit distance and embeddings without a threshold a number from 0 to 1.
common::v1::ValueType CodeValueType(const registry::v1::CodeJudge& judge);

// `exact`, `contains` and so on; "" if there is no check.
std::string_view CodeCheckName(const registry::v1::CodeJudge& judge);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_CODE_DEFINITION_H_
