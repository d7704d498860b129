#include "services/judge/core/judge_runner.h"

#include <utility>

#include "common/status/status_macros.h"
#include "services/judge/core/judging_maker.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

JudgeRunner::JudgeRunner(ModelClient& models, ScorerPort& scorers, Clock& clock, Executor& executor,
                         JudgeRunnerOptions options)
    : ports_{models, scorers, clock}, executor_(executor), options_(std::move(options)) {}

absl::StatusOr<std::unique_ptr<Judging>> JudgeRunner::Prepare(ResolvedJudge judge, Subject subject,
                                                              JudgeRunSettings settings) const {
  if (judge.definition == nullptr) return absl::InternalError("a judge without a definition");
  ASSAY_RETURN_IF_ERROR(FillFromTrace(&subject));
  JudgingSetup setup;
  setup.definition = std::move(judge.definition);
  setup.subject = std::make_shared<const Subject>(std::move(subject));
  setup.assessment_name = std::move(judge.assessment_name);
  setup.judge_revision = std::move(judge.revision);
  setup.experiment = std::move(settings.experiment);
  setup.default_model = options_.default_model;
  setup.idempotency_key = std::move(settings.idempotency_key);
  setup.bypass_cache = settings.bypass_cache;
  setup.traits = [&models = ports_.models](std::string_view uri) { return models.Traits(uri); };
  return MakeJudging(setup);
}

void JudgeRunner::Run(ResolvedJudge judge, Subject subject, CallContext context,
                      JudgeRunSettings settings, Done<JudgeVerdict> done) {
  executor_.Run([this, judge = std::move(judge), subject = std::move(subject),
                 context = std::move(context), settings = std::move(settings),
                 done = std::move(done)]() mutable {
    absl::StatusOr<std::unique_ptr<Judging>> judging =
        Prepare(std::move(judge), std::move(subject), std::move(settings));
    if (!judging.ok()) return std::move(done)(judging.status());
    DriveJudging(*std::move(judging), ports_, std::move(context), std::move(done));
  });
}

}  // namespace assay::judge
