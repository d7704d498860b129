#include "services/judge/core/judging_maker.h"

#include "common/status/errors.h"
#include "services/judge/core/kinds/builtin_judging.h"
#include "services/judge/core/kinds/cascade_judging.h"
#include "services/judge/core/kinds/code_judging.h"
#include "services/judge/core/kinds/pairwise_judging.h"
#include "services/judge/core/kinds/panel_judging.h"
#include "services/judge/core/kinds/prompted_judging.h"
#include "services/judge/core/kinds/scorer_judging.h"
#include "services/judge/core/kinds/vote_judging.h"

namespace assay::judge {

using registry::v1::JudgeDefinition;

absl::StatusOr<std::unique_ptr<Judging>> MakeJudging(const JudgingSetup& setup) {
  if (CountsVotes(setup)) return MakeVoteJudging(setup, MakeJudging);
  switch (setup.definition->kind_case()) {
    case JudgeDefinition::kInstructions:
    case JudgeDefinition::kGuidelines:
      return MakePromptedJudging(setup);
    case JudgeDefinition::kBuiltin:
      return MakeBuiltinJudging(setup, MakeJudging);
    case JudgeDefinition::kCode:
      return MakeCodeJudging(setup);
    case JudgeDefinition::kPairwise:
      return MakePairwiseJudging(setup, MakeJudging);
    case JudgeDefinition::kPanel:
      return MakePanelJudging(setup, MakeJudging);
    case JudgeDefinition::kCascade:
      return MakeCascadeJudging(setup, MakeJudging);
    case JudgeDefinition::kScorer:
      return MakeScorerJudging(setup);
    case JudgeDefinition::KIND_NOT_SET:
      break;
  }
  return InvalidField("definition", "needs exactly one kind");
}

}  // namespace assay::judge
