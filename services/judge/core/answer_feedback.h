// A model's answer to a rendered prompt, as the feedback that it stands for.
#ifndef ASSAY_SERVICES_JUDGE_CORE_ANSWER_FEEDBACK_H_
#define ASSAY_SERVICES_JUDGE_CORE_ANSWER_FEEDBACK_H_

#include <string_view>
#include <variant>

#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/prompt.h"
#include "services/judge/core/verdict.h"

namespace assay::judge {

// The feedback with its value and rationale, and its parts where the prompt asked for a verdict on
// each guideline; or why the answer cannot be used (ReadVerdict, ReadGuidelineVerdicts). No
// provenance yet. Thread-safe.
std::variant<common::v1::Feedback, AnswerViolation> ReadFeedback(const RenderedPrompt& prompt,
                                                                 std::string_view answer,
                                                                 bool truncated);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_ANSWER_FEEDBACK_H_
