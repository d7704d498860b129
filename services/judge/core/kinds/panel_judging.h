// Several judges whose values become one.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_PANEL_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_PANEL_JUDGING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// As JudgingMaker, for definitions of this kind.
absl::StatusOr<std::unique_ptr<Judging>> MakePanelJudging(const JudgingSetup& setup,
                                                          JudgingMaker make_judging);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_PANEL_JUDGING_H_
