#include "services/judge/core/judge_machine.h"

#include <string_view>
#include <utility>
#include <variant>

#include "common/strings/strings.h"
#include "services/judge/core/answer_confidence.h"
#include "services/judge/core/answer_feedback.h"
#include "services/judge/core/prompt.h"

namespace assay::judge {

JudgeMachine::JudgeMachine(JudgePlan plan) : plan_(std::move(plan)) {
  AskForConfidence(plan_.confidence, &plan_.prompt);
}

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
  auto read = ReadFeedback(plan_.prompt, response.text, response.truncated);
  if (auto* violation = std::get_if<AnswerViolation>(&read)) {
    return AskAgain(response.text, std::move(*violation));
  }
  auto& feedback = std::get<common::v1::Feedback>(read);
  if (auto violation = AddConfidence(plan_.confidence, plan_.prompt, response, &feedback)) {
    return AskAgain(response.text, *std::move(violation));
  }
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
  AppendRepair(plan_.prompt, answer, violation.message, &plan_.prompt.messages);
  return CallModel{plan_.Request("/repair")};
}

JudgeFinished JudgeMachine::Finish(common::v1::Feedback feedback) const {
  return {tally_.Verdict(plan_, repaired_, std::move(feedback))};
}

}  // namespace assay::judge
