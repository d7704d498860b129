#include "services/judge/core/kinds/builtin_judging.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakeBuiltinJudging(const JudgingSetup&, JudgingMaker) {
  return absl::UnimplementedError("builtin judges");
}

}  // namespace assay::judge
