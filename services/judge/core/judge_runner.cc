#include "services/judge/core/judge_runner.h"

#include <string_view>
#include <tuple>
#include <utility>

#include "common/json/canonical.h"
#include "common/names/random_id.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/judging_maker.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

namespace {

// The same for a repeated judgement, so that it is one trace however often it is made.
std::string TraceIdFor(std::string_view idempotency_key) {
  const std::string key =
      idempotency_key.empty() ? names::RandomId("judgement") : std::string(idempotency_key);
  return json::Sha256Hex(StrCat("judgement/", key)).substr(0, 32);
}

void DescribeVerdict(const common::v1::Feedback& feedback, JudgementTrace* trace) {
  trace->value = feedback.value().json_text();
  trace->rationale = feedback.rationale();
  if (feedback.outcome() != common::v1::OUTCOME_ERROR) return;
  trace->error_code = feedback.error().code();
  trace->error_message = feedback.error().message();
}

}  // namespace

JudgeRunner::JudgeRunner(ModelClient& models, ScorerPort& scorers, Clock& clock, Executor& executor,
                         JudgeRunnerOptions options)
    : ports_{models, scorers, clock, nullptr}, executor_(executor), options_(std::move(options)) {}

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
    RunHere(std::move(judge), std::move(subject), std::move(context), std::move(settings),
            std::move(done));
  });
}

void JudgeRunner::RunHere(ResolvedJudge judge, Subject subject, CallContext context,
                          JudgeRunSettings settings, Done<JudgeVerdict> done) {
  JudgingPorts ports = {settings.models == nullptr ? ports_.models : *settings.models,
                        ports_.scorers, ports_.clock, nullptr};
  if (options_.traces != nullptr && !settings.experiment.empty()) {
    done = Recorded(judge, subject, settings, &ports, std::move(done));
  }
  absl::StatusOr<std::unique_ptr<Judging>> judging =
      Prepare(std::move(judge), std::move(subject), std::move(settings));
  if (!judging.ok()) return std::move(done)(judging.status());
  DriveJudging(*std::move(judging), ports, std::move(context), std::move(done));
}

Done<JudgeVerdict> JudgeRunner::Recorded(const ResolvedJudge& judge, const Subject& subject,
                                         const JudgeRunSettings& settings, JudgingPorts* ports,
                                         Done<JudgeVerdict> done) const {
  ports->recorder = std::make_shared<CallRecorder>();
  JudgementTrace trace;
  trace.experiment = settings.experiment;
  trace.trace_id = TraceIdFor(settings.idempotency_key);
  trace.assessment_name = judge.assessment_name;
  trace.judge_revision = judge.revision;
  trace.judged = subject.session_name.empty() ? subject.trace_name : subject.session_name;
  if (trace.judged.empty() && subject.trace != nullptr) trace.judged = subject.trace->name();
  trace.start = ports->clock.Now();
  return [this, trace = std::move(trace), recorder = ports->recorder,
          done = std::move(done)](absl::StatusOr<JudgeVerdict> verdict) mutable {
    std::tie(trace.calls, trace.calls_left_out) = recorder->Take();
    if (verdict.ok() && !trace.calls.empty()) {
      trace.end = ports_.clock.Now();
      verdict->feedback.mutable_provenance()->set_call_trace(
          StrCat(trace.experiment, "/traces/", trace.trace_id));
      DescribeVerdict(verdict->feedback, &trace);
      options_.traces->Record(std::move(trace));
    }
    std::move(done)(std::move(verdict));
  };
}

}  // namespace assay::judge
