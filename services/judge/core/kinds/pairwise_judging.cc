#include "services/judge/core/kinds/pairwise_judging.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakePairwiseJudging(const JudgingSetup&, JudgingMaker) {
  return absl::UnimplementedError("pairwise judges");
}

}  // namespace assay::judge
