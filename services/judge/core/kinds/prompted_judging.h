// Judges that put one prompt to a model: instructions and guidelines.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_PROMPTED_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_PROMPTED_JUDGING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// As JudgingMaker, for definitions of this kind.
absl::StatusOr<std::unique_ptr<Judging>> MakePromptedJudging(const JudgingSetup& setup);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_PROMPTED_JUDGING_H_
