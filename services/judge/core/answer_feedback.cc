#include "services/judge/core/answer_feedback.h"

#include <utility>
#include <vector>

#include "common/json/json_value.h"
#include "services/judge/core/guideline_verdicts.h"

namespace assay::judge {

std::variant<common::v1::Feedback, AnswerViolation> ReadFeedback(const RenderedPrompt& prompt,
                                                                 std::string_view answer,
                                                                 bool truncated) {
  auto read = ReadVerdict(prompt.value_type, prompt.yes_or_no, answer, truncated);
  if (auto* violation = std::get_if<AnswerViolation>(&read)) return std::move(*violation);
  Verdict& verdict = std::get<Verdict>(read);
  common::v1::Feedback feedback;
  if (prompt.guideline_count > 0) {
    auto parts = ReadGuidelineVerdicts(answer, prompt.guideline_count, verdict.result);
    if (auto* violation = std::get_if<AnswerViolation>(&parts)) return std::move(*violation);
    for (common::v1::FeedbackPart& part : std::get<std::vector<common::v1::FeedbackPart>>(parts)) {
      *feedback.add_parts() = std::move(part);
    }
  }
  feedback.set_outcome(common::v1::OUTCOME_VALUE);
  *feedback.mutable_value() = json::JsonFromText(std::move(verdict.result));
  feedback.set_rationale(std::move(verdict.rationale));
  return feedback;
}

}  // namespace assay::judge
