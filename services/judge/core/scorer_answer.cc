#include "services/judge/core/scorer_answer.h"

#include <utility>

#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

// As the feedback service has them.
constexpr size_t kMaxNameChars = 250;
constexpr size_t kMaxRationaleBytes = 64 << 10;
constexpr size_t kMaxValueBytes = 256 << 10;
constexpr size_t kMaxErrorCodeChars = 63;
constexpr size_t kMaxErrorMessageChars = 4'096;
constexpr size_t kMaxProvenanceBytes = 64 << 10;
constexpr int kMaxParts = 200;

absl::Status Invalid(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "SCORER_INVALID_RESPONSE",
                   StrCat("the scorer's answer breaks its contract: ", what));
}

bool IsErrorCode(std::string_view code) {
  if (code.empty() || code.size() > kMaxErrorCodeChars || code[0] < 'A' || code[0] > 'Z') {
    return false;
  }
  return code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
}

absl::Status KeepValue(common::v1::Feedback* feedback, std::string_view where) {
  absl::StatusOr<std::string> text =
      json::JsonText(feedback->value(), StrCat(where, ".value"), {.max_bytes = kMaxValueBytes});
  if (!text.ok()) return Invalid(ToStd(text.status().message()));
  if (text->size() > kMaxValueBytes) {
    return Invalid(StrCat(where, ".value has more than ", kMaxValueBytes, " bytes"));
  }
  *feedback->mutable_value() = json::JsonFromText(*std::move(text));
  return absl::OkStatus();
}

absl::Status KeepError(common::v1::FeedbackError* error, std::string_view where) {
  if (!IsErrorCode(error->code())) {
    return Invalid(StrCat(where, ".error.code is required, in UPPER_SNAKE"));
  }
  error->set_message(std::string(json::TruncateUtf8(error->message(), kMaxErrorMessageChars)));
  return absl::OkStatus();
}

// Derives the outcome and holds it against what else is there.
absl::Status KeepOutcome(common::v1::Feedback* feedback, std::string_view where) {
  const bool has_value = feedback->has_value();
  const bool has_error = feedback->has_error();
  if (has_value && has_error) return Invalid(StrCat(where, " has both a value and an error"));
  if (feedback->outcome() == common::v1::OUTCOME_UNSPECIFIED) {
    if (!has_value && !has_error) {
      return Invalid(StrCat(where, " has neither a value, nor an error, nor an outcome"));
    }
    feedback->set_outcome(has_value ? common::v1::OUTCOME_VALUE : common::v1::OUTCOME_ERROR);
    return absl::OkStatus();
  }
  if (!common::v1::Outcome_IsValid(feedback->outcome())) {
    return Invalid(StrCat(where, ".outcome is unknown"));
  }
  if (has_value != (feedback->outcome() == common::v1::OUTCOME_VALUE)) {
    return Invalid(StrCat(where, ".outcome and value contradict each other"));
  }
  if (feedback->outcome() == common::v1::OUTCOME_ERROR && !has_error) {
    return Invalid(StrCat(where, ".error is required with outcome ERROR"));
  }
  return absl::OkStatus();
}

absl::Status KeepFeedback(common::v1::Feedback* feedback, std::string_view where) {
  ASSAY_RETURN_IF_ERROR(KeepOutcome(feedback, where));
  if (feedback->has_value()) ASSAY_RETURN_IF_ERROR(KeepValue(feedback, where));
  if (feedback->has_error()) {
    ASSAY_RETURN_IF_ERROR(KeepError(feedback->mutable_error(), StrCat(where)));
  }
  if (json::CountChars(feedback->label()) > kMaxNameChars) {
    return Invalid(StrCat(where, ".label has more than ", kMaxNameChars, " characters"));
  }
  if (feedback->rationale().size() > kMaxRationaleBytes) {
    return Invalid(StrCat(where, ".rationale has more than ", kMaxRationaleBytes, " bytes"));
  }
  if (feedback->provenance().ByteSizeLong() > kMaxProvenanceBytes) {
    return Invalid(StrCat(where, ".provenance has more than ", kMaxProvenanceBytes, " bytes"));
  }
  if (feedback->parts_size() > kMaxParts) {
    return Invalid(StrCat(where, ".parts has more than ", kMaxParts, " entries"));
  }
  if (feedback->has_confidence()) {
    const common::v1::Confidence& confidence = feedback->confidence();
    if (!(confidence.value() >= 0 && confidence.value() <= 1) || confidence.samples() < 0 ||
        !common::v1::ConfidenceMethod_IsValid(confidence.method()) ||
        confidence.method() == common::v1::CONFIDENCE_METHOD_UNSPECIFIED) {
      return Invalid(StrCat(where, ".confidence needs a value from 0 to 1 and a method"));
    }
  }
  return absl::OkStatus();
}

absl::Status KeepSource(const v1::ScorerFeedback& feedback, std::string_view scorer,
                        std::string_view where, v1::EvaluationResult* result) {
  common::v1::Source& source = *result->mutable_source();
  if (!feedback.has_source()) {
    source.set_kind(common::v1::SOURCE_KIND_CODE);
    source.set_id(std::string(scorer));
  } else {
    source = feedback.source();
  }
  if (source.kind() == common::v1::SOURCE_KIND_UNSPECIFIED ||
      !common::v1::SourceKind_IsValid(source.kind())) {
    return Invalid(StrCat(where, ".source.kind is required"));
  }
  // A program speaks for itself or for a judge that it asked, never for a person.
  if (source.kind() == common::v1::SOURCE_KIND_HUMAN) {
    return Invalid(StrCat(where, ".source.kind is CODE or LLM_JUDGE, never HUMAN"));
  }
  if (json::CountChars(source.id()) > kMaxNameChars) {
    return Invalid(StrCat(where, ".source.id has more than ", kMaxNameChars, " characters"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<v1::EvaluationResult>> CheckedScorerAnswer(
    v1::ScoreResponse response, std::string_view scorer, const std::set<std::string>& taken) {
  if (response.feedbacks_size() > kMaxScorerFeedbacks) {
    return Invalid(StrCat(response.feedbacks_size(), " feedbacks; at most ", kMaxScorerFeedbacks,
                          " are allowed"));
  }
  std::vector<v1::EvaluationResult> results;
  std::set<std::string> seen;
  for (int i = 0; i < response.feedbacks_size(); ++i) {
    v1::ScorerFeedback& feedback = *response.mutable_feedbacks(i);
    const std::string where = StrCat("feedbacks[", i, "]");
    v1::EvaluationResult& result = results.emplace_back();
    result.set_assessment_name(feedback.assessment_name().empty() ? std::string(scorer)
                                                                  : feedback.assessment_name());
    const std::string& name = result.assessment_name();
    if (json::CountChars(name) > kMaxNameChars) {
      return Invalid(
          StrCat(where, ".assessment_name has more than ", kMaxNameChars, " characters"));
    }
    if (!seen.insert(name).second) {
      return Invalid(StrCat("the assessment name `", name, "` comes twice"));
    }
    if (taken.contains(name)) {
      return Invalid(StrCat("the assessment name `", name,
                            "` belongs to another judge or scorer of the evaluation"));
    }
    if (!feedback.has_feedback()) return Invalid(StrCat(where, ".feedback is required"));
    ASSAY_RETURN_IF_ERROR(KeepFeedback(feedback.mutable_feedback(), where + ".feedback"));
    *result.mutable_feedback() = std::move(*feedback.mutable_feedback());
    ASSAY_RETURN_IF_ERROR(KeepSource(feedback, scorer, where, &result));
  }
  return results;
}

absl::StatusOr<std::string> CheckedPrediction(const v1::PredictResponse& response) {
  auto invalid = [](std::string_view what) {
    return MakeError(absl::StatusCode::kInvalidArgument, "PREDICTOR_INVALID_RESPONSE",
                     StrCat("the application's answer breaks its contract: ", what));
  };
  if (!response.has_outputs()) return invalid("it has no outputs");
  absl::StatusOr<std::string> text =
      json::JsonText(response.outputs(), "outputs", {.max_bytes = kMaxPredictionBytes});
  if (!text.ok()) return invalid(ToStd(text.status().message()));
  if (text->size() > kMaxPredictionBytes) {
    return invalid(StrCat("outputs has more than ", kMaxPredictionBytes, " bytes"));
  }
  return text;
}

}  // namespace assay::judge
