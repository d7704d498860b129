// The question which of two answers is better, with neither answer's origin in it.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_PAIRWISE_PROMPT_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_PAIRWISE_PROMPT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/judge/core/prompt.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

inline constexpr std::string_view kAnswerA = "answer_a";
inline constexpr std::string_view kAnswerB = "answer_b";
inline constexpr std::string_view kTie = "tie";

// What is compared, as JSON texts: the answers as chat_text.h reads them, so that nothing around
// them tells which is whose.
struct Comparison {
  std::string request;  // "" if there are no inputs.
  std::string first;
  std::string second;
};

// Errors: INVALID_ARGUMENT naming a field of the subject, reason MISSING_JUDGE_INPUT. Thread-safe,
// as all here.
absl::StatusOr<Comparison> ReadComparison(const registry::v1::PairwiseJudge& judge,
                                          const Subject& subject);

// The question with the first answer in the block `answer_a` or, `swapped`, in `answer_b`. Its
// values are `answer_a`, `answer_b` and `tie`.
RenderedPrompt PairwisePrompt(const registry::v1::PairwiseJudge& judge,
                              const Comparison& comparison, bool swapped, const Subject& subject);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_PAIRWISE_PROMPT_H_
