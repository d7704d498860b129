// The one place that knows every kind of judge.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGING_MAKER_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGING_MAKER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// As JudgingMaker.
absl::StatusOr<std::unique_ptr<Judging>> MakeJudging(const JudgingSetup& setup);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGING_MAKER_H_
