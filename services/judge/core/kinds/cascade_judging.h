// Judges in turn, until one is sure.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_CASCADE_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_CASCADE_JUDGING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// As JudgingMaker, for definitions of this kind.
absl::StatusOr<std::unique_ptr<Judging>> MakeCascadeJudging(const JudgingSetup& setup,
                                                            JudgingMaker make_judging);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_CASCADE_JUDGING_H_
