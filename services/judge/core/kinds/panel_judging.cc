#include "services/judge/core/kinds/panel_judging.h"

namespace assay::judge {

absl::StatusOr<std::unique_ptr<Judging>> MakePanelJudging(const JudgingSetup&, JudgingMaker) {
  return absl::UnimplementedError("panel judges");
}

}  // namespace assay::judge
