#include "services/judge/core/judge_runner.h"

#include <map>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/judge/core/judge_driver.h"
#include "services/judge/core/judge_machine.h"
#include "services/judge/core/prompt.h"

namespace assay::judge {

namespace {

absl::StatusOr<JudgePlan> MakePlan(const ResolvedJudge& judge, const Subject& subject,
                                   const JudgeRunnerOptions& options, std::string idempotency_key) {
  if (judge.definition == nullptr) return absl::InternalError("a judge without a definition");
  JudgePlan plan;
  plan.model_uri =
      judge.definition->model().empty() ? options.default_model : judge.definition->model();
  if (plan.model_uri.empty()) {
    return PreconditionFailed("MODEL_NOT_CONFIGURED", "definition.model",
                              "The judge names no model, and no default model is configured.");
  }
  for (const auto& [name, value] : judge.definition->inference_parameters().fields()) {
    plan.parameters[name] = value.number_value();
  }
  ASSAY_ASSIGN_OR_RETURN(plan.prompt, RenderPrompt(*judge.definition, subject));
  plan.judge_revision = judge.revision;
  plan.idempotency_key = std::move(idempotency_key);
  return plan;
}

JudgeVerdict MakeVerdict(common::v1::Feedback feedback, std::string model_uri) {
  JudgeVerdict verdict;
  verdict.feedback = std::move(feedback);
  verdict.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
  verdict.source.set_id(std::move(model_uri));
  return verdict;
}

}  // namespace

JudgeRunner::JudgeRunner(ModelClient& models, Clock& clock, Executor& executor,
                         JudgeRunnerOptions options)
    : models_(models), clock_(clock), executor_(executor), options_(std::move(options)) {}

void JudgeRunner::Run(ResolvedJudge judge, Subject subject, CallContext context,
                      std::string idempotency_key, Done<JudgeVerdict> done) {
  executor_.Run([this, judge = std::move(judge), subject = std::move(subject),
                 context = std::move(context), key = std::move(idempotency_key),
                 done = std::move(done)]() mutable {
    absl::StatusOr<JudgePlan> plan = MakePlan(judge, subject, options_, std::move(key));
    if (!plan.ok()) {
      std::move(done)(plan.status());
      return;
    }
    std::string model_uri = plan->model_uri;
    DriveJudge(std::make_unique<JudgeMachine>(*std::move(plan)), models_, clock_,
               std::move(context),
               [model_uri = std::move(model_uri),
                done = std::move(done)](absl::StatusOr<common::v1::Feedback> feedback) mutable {
                 if (!feedback.ok()) {
                   std::move(done)(feedback.status());
                   return;
                 }
                 std::move(done)(MakeVerdict(*std::move(feedback), std::move(model_uri)));
               });
  });
}

}  // namespace assay::judge
