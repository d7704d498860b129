// Runs one judge on one subject: renders the prompt, asks the model, and turns its answer into a
// verdict.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_RUNNER_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_RUNNER_H_

#include <memory>
#include <string>

#include "assay/common/v1/feedback.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// A judge whose definition is at hand.
struct ResolvedJudge {
  // Must have passed judging::ValidateJudgeDefinition. Shared, since a memory may be large and many
  // rows use it.
  std::shared_ptr<const registry::v1::JudgeDefinition> definition;
  std::string revision;  // The revision's resource name; "" for a judge defined in a request.
  std::string assessment_name;
};

// What a judge came to. The feedback's outcome is VALUE or ERROR and its provenance is filled.
struct JudgeVerdict {
  common::v1::Feedback feedback;
  common::v1::Source source;  // LLM_JUDGE and the model's URI.
};

struct JudgeRunnerOptions {
  std::string default_model;  // For definitions without a model; "" if there is none.
};

// Thread-safe. What it is given outlives it and every call in flight.
class JudgeRunner {
 public:
  JudgeRunner(ModelClient& models, Clock& clock, Executor& executor, JudgeRunnerOptions options);

  // `done` is called exactly once, never inline, on the executor or on the model client's. A judge
  // that comes to no value gives an ERROR feedback with one of the codes MODEL_UNREACHABLE,
  // MODEL_TIMEOUT, MODEL_REFUSED, MODEL_QUOTA_EXHAUSTED, MODEL_FAILED, ANSWER_UNREADABLE,
  // ANSWER_TRUNCATED, VALUE_OUTSIDE_TYPE. Errors: INVALID_ARGUMENT naming a field of the subject
  // (MISSING_JUDGE_INPUT if the judge needs what is not there); FAILED_PRECONDITION
  // MODEL_NOT_CONFIGURED; CANCELLED; DEADLINE_EXCEEDED when the deadline has passed before a model
  // was asked. `idempotency_key` is passed on to the model client ("" for none), with a suffix for
  // the repair.
  void Run(ResolvedJudge judge, Subject subject, CallContext context, std::string idempotency_key,
           Done<JudgeVerdict> done);

 private:
  ModelClient& models_;
  Clock& clock_;
  Executor& executor_;
  const JudgeRunnerOptions options_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_RUNNER_H_
