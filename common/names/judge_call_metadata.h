// How the trace of a judgement is told from others: metadata that the judge service writes and the
// trace service knows.
#ifndef ASSAY_COMMON_NAMES_JUDGE_CALL_METADATA_H_
#define ASSAY_COMMON_NAMES_JUDGE_CALL_METADATA_H_

#include <string_view>

namespace assay::names {

// Marks the trace of a judgement; its value is the assessment's name.
inline constexpr std::string_view kJudgeCallMetadata = "assay_judge_call";
// The resource name of the trace or the session that was judged.
inline constexpr std::string_view kJudgedMetadata = "assay_judged";

}  // namespace assay::names

#endif  // ASSAY_COMMON_NAMES_JUDGE_CALL_METADATA_H_
