#include "services/judge/core/kinds/scorer_judging.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakeScorerJudging(const JudgingSetup&) {
  return absl::UnimplementedError("scorer judges");
}

}  // namespace assay::judge
