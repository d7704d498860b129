// The judges that come with the service, by name.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_BUILTIN_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_BUILTIN_JUDGING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// As JudgingMaker, for definitions of this kind.
absl::StatusOr<std::unique_ptr<Judging>> MakeBuiltinJudging(const JudgingSetup& setup,
                                                            JudgingMaker make_judging);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_BUILTIN_JUDGING_H_
