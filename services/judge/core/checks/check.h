// The deterministic checks of an answer.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CHECKS_CHECK_H_
#define ASSAY_SERVICES_JUDGE_CORE_CHECKS_CHECK_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judge {

struct CheckResult {
  std::string value;  // JSON: true, false, or a number from 0 to 1.
  std::string why;    // For people: what was found, or the first thing that is wrong.
};

// `actual` and `expected` are JSON texts; `expected` may be absent for checks that say themselves
// what they look for. `judge` must have passed judging::ValidateCodeJudge. Errors:
// INVALID_ARGUMENT, reason INVALID_JUDGE_INPUT, for something expected that the check cannot
// compare with (no number, no text), or texts too long to compare. Thread-safe.
absl::StatusOr<CheckResult> RunCheck(const registry::v1::CodeJudge& judge,
                                     const std::string& actual,
                                     const std::optional<std::string>& expected);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CHECKS_CHECK_H_
