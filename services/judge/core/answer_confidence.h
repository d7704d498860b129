// How sure a model is of one answer: as it states itself, or by its tokens.
#ifndef ASSAY_SERVICES_JUDGE_CORE_ANSWER_CONFIDENCE_H_
#define ASSAY_SERVICES_JUDGE_CORE_ANSWER_CONFIDENCE_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judging_setup.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/prompt.h"
#include "services/judge/core/verdict.h"

namespace assay::judge {

// The method by which each single answer's confidence is measured; unspecified if none is. (Votes
// are counted over several judgements: kinds/vote_judging.h.) Thread-safe, as all here.
common::v1::ConfidenceMethod AnswerConfidenceMethod(const JudgingSetup& setup);

// FAILED_PRECONDITION, reason TOKEN_PROBABILITIES_UNSUPPORTED, if `method` needs what `model_uri`
// does not give.
absl::Status CheckConfidenceSupport(common::v1::ConfidenceMethod method, const JudgingSetup& setup,
                                    std::string_view model_uri);

// STATED: the answer's schema and contract gain the field `confidence`. Nothing for other methods.
void AskForConfidence(common::v1::ConfidenceMethod method, RenderedPrompt* prompt);

// Adds the confidence of an accepted answer to its feedback. STATED: a violation if the answer has
// no `confidence`, or one outside of 0 to 1. TOKEN_PROBABILITY: nothing is added if the answer came
// without probabilities, as a fallback's may.
std::optional<AnswerViolation> AddConfidence(common::v1::ConfidenceMethod method,
                                             const RenderedPrompt& prompt,
                                             const ModelResponse& response,
                                             common::v1::Feedback* feedback);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_ANSWER_CONFIDENCE_H_
