// Two answers compared, blinded and in both orders.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_PAIRWISE_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_PAIRWISE_JUDGING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// As JudgingMaker, for definitions of this kind.
absl::StatusOr<std::unique_ptr<Judging>> MakePairwiseJudging(const JudgingSetup& setup,
                                                             JudgingMaker make_judging);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_PAIRWISE_JUDGING_H_
