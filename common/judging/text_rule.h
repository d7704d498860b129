// The rule of texts in a judge's definition.
#ifndef ASSAY_COMMON_JUDGING_TEXT_RULE_H_
#define ASSAY_COMMON_JUDGING_TEXT_RULE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace assay::judging {

inline constexpr size_t kMaxTextBytes = 64 * 1024;  // Instructions, one guideline, a rationale.

// Not blank and at most kMaxTextBytes; else INVALID_ARGUMENT about `field` with `reason`.
// Thread-safe.
absl::Status ValidateText(std::string_view text, std::string_view field, std::string_view reason);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_TEXT_RULE_H_
