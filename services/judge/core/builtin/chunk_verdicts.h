// How verdicts on chunks become verdicts on spans, and those one on the trace.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CHUNK_VERDICTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CHUNK_VERDICTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judging.h"

namespace assay::judge {

// What the chunks of one span came to.
struct SpanRelevance {
  int judged = 0;    // Chunks with a value.
  int relevant = 0;  // Of these, `yes`.
  int chunks = 0;
  std::optional<common::v1::FeedbackError> error;  // The first chunk's that has one.

  bool Yes() const { return relevant > 0; }
  bool No() const { return relevant == 0 && judged == chunks; }
  std::string Text() const;  // "2 of 5 documents are relevant".
};

// Whether a feedback's value is `yes` or `no`; nullopt if it has neither. Thread-safe, as all here.
std::optional<bool> YesOrNo(const common::v1::Feedback& feedback);

// The first of `verdicts` that is an error of the call and no verdict; OK if there is none.
absl::Status FirstCallError(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts);

// None of `verdicts` may be an error of the call.
SpanRelevance CountRelevant(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CHUNK_VERDICTS_H_
