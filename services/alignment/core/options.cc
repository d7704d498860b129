#include "services/alignment/core/options.h"

#include <string>
#include <vector>

#include "common/judging/builtin_definition.h"
#include "common/judging/instructions_definition.h"
#include "common/judging/judge_definition.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::alignment {
namespace {

constexpr int64_t kDefaultSeed = 42;

struct Bound {
  const char* field;
  int32_t fallback;
  int32_t least;
  int32_t most;
};

constexpr Bound kMinimumLabels = {"minimum_labels", 10, 4, 10'000};
constexpr Bound kFolds = {"folds", 5, 2, 20};
constexpr Bound kMaximumGuidelines = {"maximum_guidelines", 20, 1, 100};
constexpr Bound kRetrievedExamples = {"retrieved_examples", 5, 1, 50};
constexpr Bound kParallelism = {"parallelism", 16, 1, 256};

int32_t Within(const Bound& bound, int32_t requested, FieldErrors& errors) {
  if (requested == 0) return bound.fallback;
  if (requested < bound.least || requested > bound.most) {
    errors.Add(StrCat("options.", bound.field),
               StrCat("must lie between ", bound.least, " and ", bound.most, "; absent means ",
                      bound.fallback));
  }
  return requested;
}

}  // namespace

absl::StatusOr<v1::AlignmentOptions> EffectiveOptions(const v1::AlignmentOptions& requested,
                                                      const registry::v1::JudgeDefinition& judge) {
  FieldErrors errors;
  v1::AlignmentOptions options = requested;
  if (options.seed() == 0) options.set_seed(kDefaultSeed);
  options.set_minimum_labels(Within(kMinimumLabels, requested.minimum_labels(), errors));
  options.set_folds(Within(kFolds, requested.folds(), errors));
  options.set_maximum_guidelines(
      Within(kMaximumGuidelines, requested.maximum_guidelines(), errors));
  options.set_retrieved_examples(
      Within(kRetrievedExamples, requested.retrieved_examples(), errors));
  options.set_parallelism(Within(kParallelism, requested.parallelism(), errors));
  if (options.reflection_model().empty()) {
    options.set_reflection_model(judge.model());
  } else {
    errors.Add("options.reflection_model",
               judging::ValidateModelUri(options.reflection_model(), "options.reflection_model"));
  }
  ASSAY_RETURN_IF_ERROR(errors.ToStatus());
  return options;
}

absl::StatusOr<NeededFields> FieldsNeededBy(const registry::v1::JudgeDefinition& judge,
                                            std::string_view revision) {
  const auto refuse = [&](std::string_view why) {
    return PreconditionFailed("JUDGE_NOT_ALIGNABLE", revision, why);
  };
  NeededFields needed;
  if (judge.has_instructions()) {
    ASSAY_ASSIGN_OR_RETURN(const std::vector<judging::TemplateVariable> variables,
                           judging::VariablesOf(judge.instructions()));
    for (const judging::TemplateVariable& variable : variables) {
      if (variable.kind == judging::VariableKind::kExpectations) {
        return refuse(
            "it needs expectations, which a trace does not hold: only judges of inputs, outputs "
            "and traces can be aligned");
      }
      if (variable.kind == judging::VariableKind::kConversation) {
        return refuse(
            "it looks at sessions: only judges of inputs, outputs and traces can be aligned");
      }
      needed.inputs |= variable.kind == judging::VariableKind::kInputs;
      needed.outputs |= variable.kind == judging::VariableKind::kOutputs;
    }
    return needed;
  }
  if (judge.has_builtin()) {
    const judging::BuiltinTraits* builtin = judging::FindBuiltinJudge(judge.builtin().builtin());
    if (builtin != nullptr && builtin->scope == judging::BuiltinScope::kSession) {
      return refuse("it looks at sessions: only judges of single traces can be aligned");
    }
    return NeededFields{};
  }
  if (!judge.has_guidelines()) {
    return refuse("only instructions, guidelines and built-in judges have a memory");
  }
  const registry::v1::GuidelinesJudge& guidelines = judge.guidelines();
  if (guidelines.conversation()) {
    return refuse("it looks at sessions: only judges of single traces can be aligned");
  }
  if (guidelines.per_row()) {
    return refuse(
        "its guidelines come with each row: only judges with guidelines of their own can be "
        "aligned");
  }
  if (guidelines.context().empty()) return NeededFields{.inputs = true, .outputs = true};
  for (const auto& [name, path] : guidelines.context()) {
    if (path.starts_with("expectations"))
      return refuse("its context needs expectations, which a trace does not hold");
    needed.inputs |= path.starts_with("inputs");
    needed.outputs |= path.starts_with("outputs");
  }
  return needed;
}

}  // namespace assay::alignment
