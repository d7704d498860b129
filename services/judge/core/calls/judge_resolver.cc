#include "services/judge/core/calls/judge_resolver.h"

#include <memory>
#include <utility>

#include "common/judging/builtin_definition.h"
#include "common/judging/judge_definition.h"
#include "common/names/resource_name.h"
#include "common/status/status_macros.h"

namespace assay::judge {

std::string_view DefaultAssessmentName(const registry::v1::JudgeDefinition& definition) {
  if (definition.has_guidelines()) return "guidelines";
  const judging::BuiltinTraits* builtin =
      definition.has_builtin() ? judging::FindBuiltinJudge(definition.builtin().builtin())
                               : nullptr;
  return builtin != nullptr ? builtin->name : "feedback";
}

void JudgeResolver::Registered(std::string name, std::string assessment_name, CallContext context,
                               Done<ResolvedJudge> done) const {
  registry_.GetRevision(
      std::move(name), std::move(context),
      [assessment_name = std::move(assessment_name), done = std::move(done)](
          absl::StatusOr<std::shared_ptr<const registry::v1::JudgeRevision>> revision) mutable {
        if (!revision.ok()) return std::move(done)(revision.status());
        absl::StatusOr<names::JudgeRevisionName> parsed =
            names::JudgeRevisionName::Parse((*revision)->name());
        if (!parsed.ok()) return std::move(done)(parsed.status());
        ResolvedJudge judge;
        judge.definition = std::shared_ptr<const registry::v1::JudgeDefinition>(
            *revision, &(*revision)->definition());
        judge.revision = (*revision)->name();
        judge.assessment_name =
            assessment_name.empty() ? parsed->judge : std::move(assessment_name);
        std::move(done)(std::move(judge));
      });
}

absl::StatusOr<ResolvedJudge> JudgeResolver::Inline(registry::v1::JudgeDefinition definition,
                                                    std::string assessment_name,
                                                    std::string_view field) {
  ASSAY_RETURN_IF_ERROR(judging::ValidateJudgeDefinition(definition, field));
  ResolvedJudge judge;
  judge.assessment_name = assessment_name.empty() ? std::string(DefaultAssessmentName(definition))
                                                  : std::move(assessment_name);
  judge.definition = std::make_shared<const registry::v1::JudgeDefinition>(std::move(definition));
  return judge;
}

}  // namespace assay::judge
