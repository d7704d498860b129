#include "services/alignment/core/judgement.h"

#include <utility>

#include "absl/status/statusor.h"
#include "common/json/json_value.h"
#include "common/judging/value_type.h"

namespace assay::alignment {

Judgement ToJudgement(const judge::v1::JudgeResponse& response) {
  Judgement judgement;
  const common::v1::Feedback& feedback = response.feedback();
  judgement.answered_by = feedback.provenance().answered_by();
  if (feedback.has_value()) {
    absl::StatusOr<std::string> text = json::JsonText(feedback.value(), "value");
    if (text.ok()) {
      judgement.has_value = true;
      judgement.key = judging::ValueKey(*text);
      judgement.value = *std::move(text);
      return judgement;
    }
  }
  judgement.error_code = feedback.error().code().empty() ? "ABSTAINED" : feedback.error().code();
  judgement.error_message = feedback.error().message();
  return judgement;
}

}  // namespace assay::alignment
