// The rules of panels.
#ifndef ASSAY_COMMON_JUDGING_PANEL_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_PANEL_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "common/judging/nested_judges.h"

namespace assay::judging {

inline constexpr int kMinPanelMembers = 2;
inline constexpr int kMaxPanelMembers = 25;

// OK, or INVALID_ARGUMENT about a field at or below `field` (the path of the panel). Reasons:
// INVALID_FIELD, INVALID_PANEL (values that the aggregation cannot put together, naming
// `members[i]`), and what `rules.validate` says of a member. Members whose type is not known are
// taken. Thread-safe, as all here.
absl::Status ValidatePanelJudge(const registry::v1::PanelJudge& panel, std::string_view field,
                                const DefinitionRules& rules);

// Majority: the members'. Mean: number within the bounds that all members have. Min and max: the
// members' (number if there are whole and other numbers). All and any: bool.
common::v1::ValueType PanelValueType(const registry::v1::PanelJudge& panel,
                                     const DefinitionRules& rules);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_PANEL_DEFINITION_H_
