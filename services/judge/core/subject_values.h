// Values of what a judge looks at, by path.
#ifndef ASSAY_SERVICES_JUDGE_CORE_SUBJECT_VALUES_H_
#define ASSAY_SERVICES_JUDGE_CORE_SUBJECT_VALUES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/judging/judge_path.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// INVALID_ARGUMENT about `field`, reason MISSING_JUDGE_INPUT. Thread-safe, as all here.
absl::Status MissingInput(std::string_view field, std::string_view why);

// The JSON text at the path. `wanted_by` says who wants it, for the error: "the instructions refer
// to {{ x }}". INVALID_ARGUMENT about the path, reason MISSING_JUDGE_INPUT, with what there is in
// its place.
absl::StatusOr<std::string> ValueAt(const Subject& subject, const judging::JudgePath& path,
                                    std::string_view wanted_by);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_SUBJECT_VALUES_H_
