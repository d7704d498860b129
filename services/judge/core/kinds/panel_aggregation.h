// How the values of a panel's members become one.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_PANEL_AGGREGATION_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_PANEL_AGGREGATION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judge {

struct MemberValue {
  std::optional<std::string> value;  // JSON; absent if the member came to none.
  double weight = 1;
};

struct PanelValue {
  std::string value;                 // JSON.
  int votes = 0;                     // Of members with a value, those with this one (majority).
  std::optional<double> confidence;  // Majority: its part of the weight of all members.
};

// Whether the aggregation can take `value` (JSON). `type` is that of the panel's values. What only
// shows at run time is asked for here: null, and values of members whose type nobody declared.
// Thread-safe, as all here.
bool IsUsable(registry::v1::PanelJudge::Aggregation aggregation, const common::v1::ValueType& type,
              const std::string& value);

// The panel's value; nullopt if no member has one. Values must be usable. Majority: the value with
// the most weight, of equal ones the one that a member further ahead gave; values are equal as
// judging::ValueKey has it. Mean: weighted. Min and max: of numbers the smallest and largest, of an
// ordered category the worst and the best.
std::optional<PanelValue> Aggregate(registry::v1::PanelJudge::Aggregation aggregation,
                                    const common::v1::ValueType& type,
                                    absl::Span<const MemberValue> members);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_PANEL_AGGREGATION_H_
