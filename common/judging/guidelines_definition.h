// The rules of judges by guidelines.
#ifndef ASSAY_COMMON_JUDGING_GUIDELINES_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_GUIDELINES_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judging {

inline constexpr int kMaxGuidelines = 100;
inline constexpr int kMaxContextEntries = 50;

// OK, or INVALID_ARGUMENT about a field below `field` (the path of the guidelines judge). Reasons:
// INVALID_GUIDELINES, INVALID_CONTEXT. Thread-safe, as all here.
absl::Status ValidateGuidelinesJudge(const registry::v1::GuidelinesJudge& judge,
                                     std::string_view field);

// A name in the context of a guidelines judge; else INVALID_ARGUMENT about `field`, reason
// INVALID_CONTEXT.
absl::Status ValidateContextName(std::string_view name, std::string_view field);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_GUIDELINES_DEFINITION_H_
