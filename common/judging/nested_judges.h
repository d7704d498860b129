// Judges that hold other judges: panels, cascades, and built-in judges with one of their own.
#ifndef ASSAY_COMMON_JUDGING_NESTED_JUDGES_H_
#define ASSAY_COMMON_JUDGING_NESTED_JUDGES_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judging {

inline constexpr int kMaxJudgeDepth = 3;     // Panels and cascades within each other.
inline constexpr int kMaxNestedJudges = 50;  // Judges that hold no others, in one definition.

struct NestedJudge {
  const registry::v1::JudgeDefinition* definition = nullptr;  // Points into the one that holds it.
  std::string field;  // Its path below the definition, such as `panel.members[0].judge`.
};

// The judges that `definition` holds itself, in order. Thread-safe, as all here.
std::vector<NestedJudge> NestedJudgesOf(const registry::v1::JudgeDefinition& definition);

// Whether `holds` is true of the definition or of any judge within it, however deep.
bool AnyJudge(const registry::v1::JudgeDefinition& definition,
              const std::function<bool(const registry::v1::JudgeDefinition&)>& holds);

// INVALID_ARGUMENT, reason JUDGES_NESTED_TOO_DEEP or TOO_MANY_JUDGES, naming the field below
// `field`.
absl::Status ValidateNesting(const registry::v1::JudgeDefinition& definition,
                             std::string_view field);

// The rules of any kind of judge, for kinds that hold other judges.
struct DefinitionRules {
  std::function<absl::Status(const registry::v1::JudgeDefinition&, std::string_view field)>
      validate;
  // The type of its values; none set if only the judge itself knows.
  std::function<common::v1::ValueType(const registry::v1::JudgeDefinition&)> value_type;
};

// Whether both allow the same values with the same order.
bool SameValueType(const common::v1::ValueType& a, const common::v1::ValueType& b);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_NESTED_JUDGES_H_
