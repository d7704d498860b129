// The rules of cascades.
#ifndef ASSAY_COMMON_JUDGING_CASCADE_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_CASCADE_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "common/judging/nested_judges.h"

namespace assay::judging {

inline constexpr double kDefaultLeastConfidence = 0.8;

// OK, or INVALID_ARGUMENT about a field at or below `field` (the path of the cascade). Reasons:
// INVALID_FIELD, INVALID_CASCADE (another type than the first stage's; a stage before the last that
// measures no confidence), and what `rules.validate` says of a stage. Thread-safe, as all here.
absl::Status ValidateCascadeJudge(const registry::v1::CascadeJudge& cascade, std::string_view field,
                                  const DefinitionRules& rules);

// The type of the first stage that has a known one.
common::v1::ValueType CascadeValueType(const registry::v1::CascadeJudge& cascade,
                                       const DefinitionRules& rules);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_CASCADE_DEFINITION_H_
