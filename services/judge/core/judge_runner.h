// Runs one judge on one subject: makes the machine of its kind, and drives it to a verdict.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_RUNNER_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_RUNNER_H_

#include <memory>
#include <string>

#include "assay/common/v1/feedback.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "services/judge/core/judge_driver.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/subject.h"
#include "services/judge/core/user_ports.h"

namespace assay::judge {

// A judge whose definition is at hand.
struct ResolvedJudge {
  // Must have passed judging::ValidateJudgeDefinition. Shared, since a memory may be large and many
  // rows use it.
  std::shared_ptr<const registry::v1::JudgeDefinition> definition;
  std::string revision;  // The revision's resource name; "" for a judge defined in a request.
  std::string assessment_name;
};

// How one judgement is made.
struct JudgeRunSettings {
  std::string idempotency_key;  // Passed on to the model client; "" for none.
  std::string experiment;       // experiments/{experiment}: whose budget pays.
  bool bypass_cache = false;
  ModelClient* models = nullptr;  // Asked instead of the runner's; null: those. Outlives the call.
};

struct JudgeRunnerOptions {
  std::string default_model;  // For definitions without a model; "" if there is none.
  // Where the traces of judgements that asked a model go. Null: none are made. Outlives the runner.
  JudgementTraceSink* traces = nullptr;
};

// Thread-safe. What it is given outlives it and every call in flight.
class JudgeRunner {
 public:
  JudgeRunner(ModelClient& models, ScorerPort& scorers, Clock& clock, Executor& executor,
              JudgeRunnerOptions options);

  // `done` is called exactly once, never inline, on the executor or on the model client's. A judge
  // that comes to no value gives an ERROR feedback with one of the codes MODEL_UNREACHABLE,
  // MODEL_TIMEOUT, MODEL_REFUSED, MODEL_QUOTA_EXHAUSTED, MODEL_CONTEXT_OVERFLOW, BUDGET_EXHAUSTED,
  // MODEL_FAILED, ANSWER_UNREADABLE, ANSWER_TRUNCATED, VALUE_OUTSIDE_TYPE, or one of its kind
  // (docs/errors.md). Errors: INVALID_ARGUMENT naming a field of the subject
  // (MISSING_JUDGE_INPUT if the judge needs what is not there); FAILED_PRECONDITION
  // MODEL_NOT_CONFIGURED; CANCELLED; DEADLINE_EXCEEDED when the deadline has passed before a model
  // was asked.
  void Run(ResolvedJudge judge, Subject subject, CallContext context, JudgeRunSettings settings,
           Done<JudgeVerdict> done);

  // The same, begun on this thread, for callers that are on an executor for CPU work already:
  // `done` may be called inline.
  void RunHere(ResolvedJudge judge, Subject subject, CallContext context, JudgeRunSettings settings,
               Done<JudgeVerdict> done);

 private:
  absl::StatusOr<std::unique_ptr<Judging>> Prepare(ResolvedJudge judge, Subject subject,
                                                   JudgeRunSettings settings) const;

  // `done` that hands the judgement's trace to the sink first. Gives `ports` a recorder.
  Done<JudgeVerdict> Recorded(const ResolvedJudge& judge, const Subject& subject,
                              const JudgeRunSettings& settings, JudgingPorts* ports,
                              Done<JudgeVerdict> done) const;

  const JudgingPorts ports_;  // Without a recorder: each judgement has its own.
  Executor& executor_;
  const JudgeRunnerOptions options_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_RUNNER_H_
