#include "services/judge/core/evaluation/evaluation_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/evaluation/evaluation_summary.h"

namespace assay::judge {

absl::StatusOr<storage::v1::EvaluationRecord> EvaluationReader::Require(
    const names::EvaluationName& name) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<storage::v1::EvaluationRecord> record, store_.Find(name));
  if (!record.has_value()) return NotFound("evaluation", name.ToString());
  return *std::move(record);
}

absl::StatusOr<v1::Evaluation> EvaluationReader::Read(const names::EvaluationName& name) const {
  ASSAY_ASSIGN_OR_RETURN(storage::v1::EvaluationRecord record, Require(name));
  return Complete(record);
}

absl::StatusOr<v1::Evaluation> EvaluationReader::Complete(
    const storage::v1::EvaluationRecord& record) const {
  ASSAY_ASSIGN_OR_RETURN(storage::v1::EvaluationTallyRecord tally, store_.FindTally(record.uid()));
  v1::Evaluation evaluation = record.evaluation();
  Summarize(record, tally, &evaluation);
  if (evaluation.state() != v1::EVALUATION_STATE_RUNNING) return evaluation;
  const absl::Status trouble = troubles_.Find(record.uid());
  if (!trouble.ok()) {
    const std::string reason = ErrorReason(trouble);
    evaluation.mutable_error()->set_code(reason.empty() ? "UNAVAILABLE" : reason);
    evaluation.mutable_error()->set_message(std::string(ToStd(trouble.message())));
  }
  return evaluation;
}

}  // namespace assay::judge
