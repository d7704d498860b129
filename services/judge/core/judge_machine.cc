#include "services/judge/core/judge_machine.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

constexpr size_t kMaxErrorChars = 4'096;
constexpr size_t kMaxRawAnswerBytes = 64 * 1024;

// The code of the ERROR feedback for a model's error; "" for an error that is the caller's.
std::string_view FeedbackCode(const absl::Status& error) {
  const std::string reason = ErrorReason(error);
  for (const std::string_view code :
       {"MODEL_UNREACHABLE", "MODEL_TIMEOUT", "MODEL_REFUSED", "MODEL_QUOTA_EXHAUSTED",
        "MODEL_CONTEXT_OVERFLOW", "BUDGET_EXHAUSTED"}) {
    if (reason == code) return code;
  }
  if (error.code() == absl::StatusCode::kInternal || error.code() == absl::StatusCode::kUnknown) {
    return "MODEL_FAILED";
  }
  return "";
}

}  // namespace

absl::StatusOr<JudgePlan> PlanOf(const JudgingSetup& setup) {
  JudgePlan plan;
  ASSAY_ASSIGN_OR_RETURN(plan.model_uri, setup.ModelUri());
  const registry::v1::JudgeDefinition& definition = *setup.definition;
  for (const auto& [name, value] : definition.inference_parameters().fields()) {
    plan.parameters[name] = value.number_value();
  }
  plan.fallback_models = {definition.fallback_models().begin(), definition.fallback_models().end()};
  plan.judge_revision = setup.judge_revision;
  plan.idempotency_key = setup.idempotency_key;
  plan.account.experiment = setup.experiment;
  plan.account.judge = setup.judge_revision.empty() ? setup.assessment_name : setup.judge_revision;
  plan.bypass_cache = setup.bypass_cache;
  plan.sample = setup.sample;
  return plan;
}

JudgeStep JudgeMachine::Next(JudgeEvent event) {
  if (const auto* started = std::get_if<JudgeStarted>(&event)) {
    started_ = now_ = started->now;
    return CallModel{Request()};
  }
  ModelAnswered& answered = std::get<ModelAnswered>(event);
  now_ = answered.now;
  return answered.response.ok() ? OnAnswer(*answered.response)
                                : OnError(answered.response.status());
}

ModelRequest JudgeMachine::Request() const {
  ModelRequest request;
  request.model_uri = plan_.model_uri;
  request.messages = plan_.prompt.messages;
  request.response_schema = plan_.prompt.schema;
  request.schema_name = "verdict";
  request.parameters = plan_.parameters;
  request.fallback_models = plan_.fallback_models;
  request.account = plan_.account;
  request.bypass_cache = plan_.bypass_cache;
  request.sample = plan_.sample;
  if (!plan_.idempotency_key.empty()) {
    request.idempotency_key = StrCat(plan_.idempotency_key, repaired_ ? "/repair" : "");
  }
  return request;
}

JudgeStep JudgeMachine::OnAnswer(const ModelResponse& response) {
  answered_by_ = response.answered_by;
  input_tokens_ += response.input_tokens;
  output_tokens_ += response.output_tokens;
  attempts_ += std::max(response.attempts, response.cache_hit ? 0 : 1);
  cache_hit_ = cache_hit_ || response.cache_hit;
  if (!response.model_uri.empty()) model_uri_ = response.model_uri;
  if (!response.cost_usd.has_value()) cost_usd_.reset();
  if (cost_usd_.has_value()) *cost_usd_ += *response.cost_usd;
  auto read = ReadVerdict(plan_.prompt.value_type, plan_.prompt.yes_or_no, response.text,
                          response.truncated);
  if (auto* verdict = std::get_if<Verdict>(&read)) return Conclude(std::move(*verdict));
  return AskAgain(response.text, std::get<AnswerViolation>(std::move(read)));
}

JudgeStep JudgeMachine::OnError(const absl::Status& error) {
  if (const std::optional<std::string> made = ErrorMetadata(error, "attempts")) {
    int attempts = 0;
    if (absl::SimpleAtoi(*made, &attempts) && attempts > 0) attempts_ += attempts;
  }
  const std::string_view code = FeedbackCode(error);
  if (code.empty()) return JudgeFinished{error};
  return Fail(code, ToStd(error.message()));
}

JudgeStep JudgeMachine::AskAgain(const std::string& answer, AnswerViolation violation) {
  if (repaired_) {
    return Fail(violation.code,
                StrCat("The model's answer cannot be used, after a second question too: ",
                       violation.message, "."),
                answer);
  }
  repaired_ = true;
  AppendRepair(plan_.prompt.value_type, answer, violation.message, &plan_.prompt.messages);
  return CallModel{Request()};
}

JudgeFinished JudgeMachine::Conclude(Verdict verdict) {
  common::v1::Feedback feedback;
  feedback.set_outcome(common::v1::OUTCOME_VALUE);
  *feedback.mutable_value() = json::JsonFromText(std::move(verdict.result));
  feedback.set_rationale(std::move(verdict.rationale));
  return Finish(std::move(feedback));
}

JudgeFinished JudgeMachine::Fail(std::string_view code, std::string_view message,
                                 std::string_view answer) {
  common::v1::Feedback feedback;
  feedback.set_outcome(common::v1::OUTCOME_ERROR);
  feedback.mutable_error()->set_code(std::string(code));
  feedback.mutable_error()->set_message(json::PreviewOf(message, kMaxErrorChars));
  feedback.mutable_provenance()->set_raw_answer(
      std::string(json::TruncateUtf8Bytes(json::SanitizeUtf8(answer), kMaxRawAnswerBytes)));
  return Finish(std::move(feedback));
}

JudgeFinished JudgeMachine::Finish(common::v1::Feedback feedback) const {
  FillProvenance(&feedback);
  JudgeVerdict verdict;
  verdict.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
  verdict.source.set_id(plan_.model_uri);
  verdict.feedback = std::move(feedback);
  return {std::move(verdict)};
}

void JudgeMachine::FillProvenance(common::v1::Feedback* feedback) const {
  common::v1::Provenance& provenance = *feedback->mutable_provenance();
  provenance.set_judge_revision(plan_.judge_revision);
  provenance.set_model(model_uri_.empty() ? plan_.model_uri : model_uri_);
  provenance.set_answered_by(answered_by_);
  provenance.set_prompt_sha256(plan_.prompt.sha256);
  provenance.mutable_usage()->set_input_tokens(input_tokens_);
  provenance.mutable_usage()->set_output_tokens(output_tokens_);
  provenance.mutable_usage()->set_model_calls(attempts_);
  provenance.set_attempts(attempts_);
  provenance.set_repaired(repaired_);
  provenance.set_cache_hit(cache_hit_);
  if (cost_usd_.has_value() && !answered_by_.empty()) provenance.set_cost_usd(*cost_usd_);
  for (const auto& [name, value] : plan_.parameters) {
    (*provenance.mutable_parameters()->mutable_fields())[name].set_number_value(value);
  }
  provenance.set_latency_ms(std::max<int64_t>(absl::ToInt64Milliseconds(now_ - started_), 0));
  for (const std::string& trace : plan_.prompt.retrieved_traces) {
    provenance.add_retrieved_traces(trace);
  }
}

}  // namespace assay::judge
