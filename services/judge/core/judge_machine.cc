#include "services/judge/core/judge_machine.h"

#include <string_view>
#include <utility>
#include <variant>

#include "common/json/json_value.h"
#include "common/strings/strings.h"
#include "services/judge/core/prompt.h"

namespace assay::judge {

JudgeStep JudgeMachine::Next(JudgeEvent event) {
  if (const auto* started = std::get_if<JudgeStarted>(&event)) {
    tally_.Begin(started->now);
    return CallModel{plan_.Request()};
  }
  ModelAnswered& answered = std::get<ModelAnswered>(event);
  if (!answered.response.ok()) {
    tally_.CountFailure(answered.response.status(), answered.now);
    return OnError(answered.response.status());
  }
  tally_.Count(*answered.response, answered.now);
  return OnAnswer(*answered.response);
}

JudgeStep JudgeMachine::OnAnswer(const ModelResponse& response) {
  auto read = ReadVerdict(plan_.prompt.value_type, plan_.prompt.yes_or_no, response.text,
                          response.truncated);
  if (auto* violation = std::get_if<AnswerViolation>(&read)) {
    return AskAgain(response.text, std::move(*violation));
  }
  Verdict& verdict = std::get<Verdict>(read);
  common::v1::Feedback feedback;
  feedback.set_outcome(common::v1::OUTCOME_VALUE);
  *feedback.mutable_value() = json::JsonFromText(std::move(verdict.result));
  feedback.set_rationale(std::move(verdict.rationale));
  return Finish(std::move(feedback));
}

JudgeStep JudgeMachine::OnError(const absl::Status& error) const {
  const std::string_view code = ModelErrorCode(error);
  if (code.empty()) return JudgeFinished{error};
  return Finish(ErrorFeedback(code, ToStd(error.message())));
}

JudgeStep JudgeMachine::AskAgain(const std::string& answer, AnswerViolation violation) {
  if (repaired_) {
    return Finish(
        ErrorFeedback(violation.code,
                      StrCat("The model's answer cannot be used, after a second question too: ",
                             violation.message, "."),
                      answer));
  }
  repaired_ = true;
  AppendRepair(plan_.prompt.value_type, answer, violation.message, &plan_.prompt.messages);
  return CallModel{plan_.Request("/repair")};
}

JudgeFinished JudgeMachine::Finish(common::v1::Feedback feedback) const {
  return {tally_.Verdict(plan_, repaired_, std::move(feedback))};
}

}  // namespace assay::judge
