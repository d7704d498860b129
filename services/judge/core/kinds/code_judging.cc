#include "services/judge/core/kinds/code_judging.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakeCodeJudging(const JudgingSetup&) {
  return absl::UnimplementedError("code judges");
}

}  // namespace assay::judge
