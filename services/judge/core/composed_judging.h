// What judges that put other judges' verdicts together share.
#ifndef ASSAY_SERVICES_JUDGE_CORE_COMPOSED_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_COMPOSED_JUDGING_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"
#include "services/judge/core/provenance_sum.h"

namespace assay::judge {

inline constexpr int kMaxFeedbackParts = 200;  // As Feedback.parts has it.
// What is kept of judges' additional feedbacks; with the verdict they fit into one log request.
inline constexpr size_t kMaxInnerFeedbacks = 999;
inline constexpr size_t kMaxInnerFeedbackBytes = size_t{2} << 20;

// The setup of a judge within `setup`'s definition, which is kept alive by it. A judge without a
// model uses that of the judge around it. Thread-safe, as all here.
JudgingSetup NestedSetup(const JudgingSetup& setup, const registry::v1::JudgeDefinition& nested,
                         std::string_view key_suffix);

// The first error that is no verdict; OK if there is none. Such an error is the caller's, and ends
// the whole judgement.
absl::Status CallErrorOf(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts);

// The verdict with `feedback`, the provenance of all `verdicts`, and `source_id`: of kind CODE if
// all of them are, else of kind LLM_JUDGE.
JudgeVerdict ComposedVerdict(const JudgingSetup& setup, std::string_view source_id,
                             common::v1::Feedback feedback,
                             absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts,
                             AskedHow asked);

// Adds the parts of the verdicts' own feedbacks behind those that `feedback` has, which are one for
// each verdict: `guidelines[0]` of the verdict whose part is `strict` as `strict/guidelines[0]`. At
// most kMaxFeedbackParts in all.
void AppendInnerParts(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts,
                      common::v1::Feedback* feedback);

// Adds the verdicts' additional feedbacks to those of `whole`, each below the place of its verdict:
// `{assessment}/precision` of the verdict in `places[1]` becomes `{assessment}/{places[1]}/precision`.
// Places are distinct and hold no slash, so that names of two verdicts never meet. Beyond
// kMaxInnerFeedbacks and kMaxInnerFeedbackBytes in all, metadata `further_left_out` counts the rest.
void AppendInnerFeedbacks(const JudgingSetup& setup, absl::Span<const std::string> places,
                          absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts,
                          JudgeVerdict* whole);

// A value as people read it: a text in quotes, all else as JSON, cut; "no value (CODE)" if there is
// none.
std::string ShownValue(const absl::StatusOr<JudgeVerdict>& verdict);

// "- name: value. The first words of its reasons", as one line of a rationale.
std::string ReasonLine(std::string_view name, const absl::StatusOr<JudgeVerdict>& verdict);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_COMPOSED_JUDGING_H_
