// One answer with a verdict for each guideline beside the one for all.
#ifndef ASSAY_SERVICES_JUDGE_CORE_GUIDELINE_VERDICTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_GUIDELINE_VERDICTS_H_

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "assay/common/v1/feedback.pb.h"
#include "assay/common/v1/value.pb.h"
#include "services/judge/core/verdict.h"

namespace assay::judge {

// The field of the answer that holds them.
inline constexpr std::string_view kGuidelineVerdictsField = "guideline_verdicts";

// The schema of such an answer: {guideline_verdicts: [{guideline, rationale, result}], rationale,
// result}. Thread-safe, as all here.
std::string GuidelineVerdictsSchema(const common::v1::ValueType& type);

// What the model is told of the field: `count` entries, guidelines counted from 1.
std::string DescribeGuidelineVerdicts(int count);

// One part for each of `count` guidelines, in their order: `guidelines[0]` and so on, with `yes` or
// `no` and a rationale. `result` is the answer's verdict for all, as JSON; it must be `yes` exactly
// if all of them pass, else ANSWER_INCONSISTENT. ANSWER_UNREADABLE if an entry is missing, given
// twice, or of no guideline; VALUE_OUTSIDE_TYPE if one is neither yes nor no.
std::variant<std::vector<common::v1::FeedbackPart>, AnswerViolation> ReadGuidelineVerdicts(
    std::string_view answer, int count, std::string_view result);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_GUIDELINE_VERDICTS_H_
