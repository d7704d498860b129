#include "services/judge/core/kinds/cascade_judging.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakeCascadeJudging(const JudgingSetup&, JudgingMaker) {
  return absl::UnimplementedError("cascade judges");
}

}  // namespace assay::judge
