#include "services/judge/core/builtin/finished_judging.h"

#include "common/json/json_value.h"
#include "common/judging/builtin_definition.h"

namespace assay::judge {

std::unique_ptr<Judging> DecidedByCode(const JudgingSetup& setup, bool yes, std::string rationale) {
  const judging::BuiltinTraits* builtin =
      judging::FindBuiltinJudge(setup.definition->builtin().builtin());
  JudgeVerdict verdict;
  verdict.source.set_kind(common::v1::SOURCE_KIND_CODE);
  if (builtin != nullptr) verdict.source.set_id(std::string(builtin->name));
  verdict.feedback.set_outcome(common::v1::OUTCOME_VALUE);
  *verdict.feedback.mutable_value() = json::JsonFromString(yes ? "yes" : "no");
  verdict.feedback.set_rationale(std::move(rationale));
  verdict.feedback.mutable_provenance()->set_judge_revision(setup.judge_revision);
  return std::make_unique<FinishedJudging>(std::move(verdict));
}

std::unique_ptr<Judging> FailedJudging(const JudgingSetup& setup, std::string_view code,
                                       std::string_view message) {
  JudgeVerdict verdict;
  verdict.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
  verdict.source.set_id(setup.ModelUri().value_or(""));
  verdict.feedback.set_outcome(common::v1::OUTCOME_ERROR);
  verdict.feedback.mutable_error()->set_code(std::string(code));
  verdict.feedback.mutable_error()->set_message(std::string(message));
  verdict.feedback.mutable_provenance()->set_judge_revision(setup.judge_revision);
  verdict.feedback.mutable_provenance()->set_model(verdict.source.id());
  return std::make_unique<FinishedJudging>(std::move(verdict));
}

}  // namespace assay::judge
