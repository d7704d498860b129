#include "services/judge/core/builtin/chunk_verdicts.h"

#include "common/strings/strings.h"

namespace assay::judge {

std::string SpanRelevance::Text() const {
  if (chunks == 0) return "nothing was returned";
  std::string text = StrCat(relevant, " of ", judged,
                            judged == 1 ? " document is" : " documents are", " relevant");
  if (judged < chunks) StrAppend(&text, ", ", chunks - judged, " could not be judged");
  return text;
}

std::optional<bool> YesOrNo(const common::v1::Feedback& feedback) {
  if (feedback.value().json_text() == "\"yes\"") return true;
  if (feedback.value().json_text() == "\"no\"") return false;
  return std::nullopt;
}

absl::Status FirstCallError(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts) {
  for (const absl::StatusOr<JudgeVerdict>& verdict : verdicts) {
    if (!verdict.ok()) return verdict.status();
  }
  return absl::OkStatus();
}

SpanRelevance CountRelevant(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts) {
  SpanRelevance span;
  span.chunks = static_cast<int>(verdicts.size());
  for (const absl::StatusOr<JudgeVerdict>& verdict : verdicts) {
    const std::optional<bool> yes = YesOrNo(verdict->feedback);
    if (yes.has_value()) {
      ++span.judged;
      span.relevant += *yes ? 1 : 0;
    } else if (!span.error.has_value()) {
      span.error = verdict->feedback.error();
    }
  }
  return span;
}

}  // namespace assay::judge
