#include "services/judge/core/judge_machine.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

constexpr size_t kMaxErrorChars = 4'096;

// The code of the ERROR feedback for a model's error; "" for an error that is the caller's.
std::string_view FeedbackCode(const absl::Status& error) {
  const std::string reason = ErrorReason(error);
  for (const std::string_view code :
       {"MODEL_UNREACHABLE", "MODEL_TIMEOUT", "MODEL_REFUSED", "MODEL_QUOTA_EXHAUSTED"}) {
    if (reason == code) return code;
  }
  if (error.code() == absl::StatusCode::kInternal || error.code() == absl::StatusCode::kUnknown) {
    return "MODEL_FAILED";
  }
  return "";
}

}  // namespace

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
  if (!plan_.idempotency_key.empty()) {
    request.idempotency_key = StrCat(plan_.idempotency_key, repaired_ ? "/repair" : "");
  }
  return request;
}

JudgeStep JudgeMachine::OnAnswer(const ModelResponse& response) {
  answered_by_ = response.answered_by;
  input_tokens_ += response.input_tokens;
  output_tokens_ += response.output_tokens;
  attempts_ += std::max(response.attempts, 1);
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
                       violation.message, "."));
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
  FillProvenance(&feedback);
  return {std::move(feedback)};
}

JudgeFinished JudgeMachine::Fail(std::string_view code, std::string_view message) {
  common::v1::Feedback feedback;
  feedback.set_outcome(common::v1::OUTCOME_ERROR);
  feedback.mutable_error()->set_code(std::string(code));
  feedback.mutable_error()->set_message(json::PreviewOf(message, kMaxErrorChars));
  FillProvenance(&feedback);
  return {std::move(feedback)};
}

void JudgeMachine::FillProvenance(common::v1::Feedback* feedback) const {
  common::v1::Provenance& provenance = *feedback->mutable_provenance();
  provenance.set_judge_revision(plan_.judge_revision);
  provenance.set_model(plan_.model_uri);
  provenance.set_answered_by(answered_by_);
  provenance.set_prompt_sha256(plan_.prompt.sha256);
  provenance.mutable_usage()->set_input_tokens(input_tokens_);
  provenance.mutable_usage()->set_output_tokens(output_tokens_);
  provenance.mutable_usage()->set_model_calls(attempts_);
  provenance.set_attempts(attempts_);
  provenance.set_repaired(repaired_);
  provenance.set_latency_ms(std::max<int64_t>(absl::ToInt64Milliseconds(now_ - started_), 0));
  for (const std::string& trace : plan_.prompt.retrieved_traces) {
    provenance.add_retrieved_traces(trace);
  }
}

}  // namespace assay::judge
