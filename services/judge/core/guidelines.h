// What a guidelines judge decides on: its guidelines, and the material by name.
#ifndef ASSAY_SERVICES_JUDGE_CORE_GUIDELINES_H_
#define ASSAY_SERVICES_JUDGE_CORE_GUIDELINES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

struct GuidelinesCase {
  std::vector<std::string> guidelines;
  std::vector<std::pair<std::string, std::string>> context;  // Names and JSON texts.
};

// The guidelines are the judge's own, or the row's in `expectations.guidelines`, else those that
// people expect of the trace. The context is the `conversation` for a judge of conversations; else
// the subject's if it brings one, what the judge's paths lead to, or `request` and `response`.
// `subject` has its inputs and outputs filled in from the trace already. Errors: INVALID_ARGUMENT
// naming the field, reason MISSING_JUDGE_INPUT, INVALID_GUIDELINES or INVALID_CONTEXT. Thread-safe.
absl::StatusOr<GuidelinesCase> CollectGuidelinesCase(const registry::v1::GuidelinesJudge& judge,
                                                     const Subject& subject);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_GUIDELINES_H_
