#include "services/feedback/core/assessment_validation.h"

#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/feedback/core/problems.h"

namespace assay::feedback {
namespace {

using common::v1::Confidence;
using common::v1::Expectation;
using common::v1::Feedback;
using common::v1::FeedbackError;
using common::v1::JsonValue;
using common::v1::Outcome;
using common::v1::Source;
using common::v1::SourceKind;

std::string At(std::string_view field, std::string_view member) {
  return StrCat(field, ".", member);
}

// The value as JSON text.
absl::StatusOr<JsonValue> KeptValue(const JsonValue& value, std::string_view field) {
  const json::ParseLimits limits{.max_bytes = kMaxValueBytes};
  ASSAY_ASSIGN_OR_RETURN(std::string text, json::JsonText(value, field, limits));
  if (text.size() > kMaxValueBytes) {
    return InvalidField(field, StrCat("has ", text.size(), " bytes of JSON; at most ",
                                      kMaxValueBytes, " are allowed"));
  }
  return json::JsonFromText(std::move(text));
}

bool IsNull(const JsonValue& value) {
  return ToStd(absl::StripAsciiWhitespace(value.json_text())) == "null";
}

bool IsErrorCode(std::string_view code) {
  if (code.empty() || code.size() > kMaxErrorCodeChars || code[0] < 'A' || code[0] > 'Z') {
    return false;
  }
  for (const char c : code) {
    if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

absl::Status KeepError(FeedbackError* error, std::string_view field) {
  if (!IsErrorCode(error->code())) {
    return InvalidField(
        At(field, "code"),
        StrCat("is required, in UPPER_SNAKE, such as MODEL_UNREACHABLE, with at most ",
               kMaxErrorCodeChars, " characters"));
  }
  const std::string cut(json::TruncateUtf8(error->message(), kMaxErrorMessageChars));
  error->set_message(cut);
  return absl::OkStatus();
}

absl::Status CheckConfidence(const Confidence& confidence, std::string_view field) {
  if (!(confidence.value() >= 0 && confidence.value() <= 1)) {
    return InvalidField(At(field, "value"), "is a number from 0 to 1");
  }
  if (confidence.method() < common::v1::CONFIDENCE_METHOD_TOKEN_PROBABILITY ||
      confidence.method() > common::v1::CONFIDENCE_METHOD_STATED) {
    return InvalidField(At(field, "method"),
                        "is required: one of TOKEN_PROBABILITY, VOTE_SHARE, STATED");
  }
  if (confidence.samples() < 0) return InvalidField(At(field, "samples"), "is not below 0");
  return absl::OkStatus();
}

absl::Status CheckTexts(const Feedback& feedback, std::string_view field) {
  Problems problems;
  if (json::CountChars(feedback.label()) > kMaxLabelChars) {
    problems.Add(At(field, "label"), StrCat("has at most ", kMaxLabelChars, " characters"));
  }
  if (feedback.rationale().size() > kMaxRationaleBytes) {
    problems.Add(At(field, "rationale"),
                 StrCat("has ", feedback.rationale().size(), " bytes; at most ", kMaxRationaleBytes,
                        " are allowed"));
  }
  if (feedback.has_score() && !std::isfinite(feedback.score())) {
    problems.Add(At(field, "score"), "is a finite number");
  }
  if (feedback.provenance().ByteSizeLong() > kMaxProvenanceBytes) {
    problems.Add(At(field, "provenance"), StrCat("has at most ", kMaxProvenanceBytes, " bytes"));
  }
  return problems.ToStatus();
}

// Makes value, error and outcome agree, or says why they cannot.
absl::Status SettleOutcome(Feedback* feedback, std::string_view field) {
  // Clients that know only "no value" send a null beside the error.
  if (feedback->has_error() && feedback->has_value() && IsNull(feedback->value())) {
    feedback->clear_value();
  }
  const bool has_value = feedback->has_value();
  const bool has_error = feedback->has_error();
  if (has_value && has_error) {
    return InvalidField(At(field, "error"), "a feedback has a value or an error, not both");
  }
  switch (feedback->outcome()) {
    case common::v1::OUTCOME_UNSPECIFIED:
      if (!has_value && !has_error) {
        return InvalidField(
            At(field, "value"),
            "is required unless `error` is given or `outcome` is ABSTAINED or SKIPPED");
      }
      feedback->set_outcome(has_value ? common::v1::OUTCOME_VALUE : common::v1::OUTCOME_ERROR);
      return absl::OkStatus();
    case common::v1::OUTCOME_VALUE:
      if (!has_value) return InvalidField(At(field, "value"), "is required with outcome VALUE");
      return absl::OkStatus();
    case common::v1::OUTCOME_ERROR:
      if (!has_error) return InvalidField(At(field, "error"), "is required with outcome ERROR");
      return absl::OkStatus();
    case common::v1::OUTCOME_ABSTAINED:
    case common::v1::OUTCOME_SKIPPED:
      if (has_value) {
        return InvalidField(At(field, "value"), "must be absent with outcome ABSTAINED or SKIPPED");
      }
      return absl::OkStatus();
    default:
      return InvalidField(At(field, "outcome"), "is one of VALUE, ERROR, ABSTAINED, SKIPPED");
  }
}

absl::Status CheckTarget(const names::ExperimentName& parent, const common::v1::Target& target,
                         std::string_view field) {
  Problems problems;
  const std::string trace_field = At(field, "trace");
  const absl::StatusOr<names::TraceName> trace =
      names::TraceName::Parse(target.trace(), trace_field);
  if (target.trace().empty()) {
    problems.Add(trace_field, "is required: experiments/{experiment}/traces/{trace}");
  } else if (!trace.ok()) {
    problems.Add(trace_field, trace.status());
  } else if (trace->experiment != parent.experiment) {
    problems.Add(trace_field, StrCat("must be a trace of ", parent.ToString()));
  }
  if (!target.span_id().empty() && !names::IsSpanId(target.span_id())) {
    problems.Add(At(field, "span_id"), "is 16 lower-case hex digits, not all zero");
  }
  return problems.ToStatus();
}

absl::Status CheckEvaluation(const names::ExperimentName& parent, std::string_view evaluation,
                             std::string_view field) {
  if (evaluation.empty()) return absl::OkStatus();
  ASSAY_ASSIGN_OR_RETURN(const names::EvaluationName name,
                         names::EvaluationName::Parse(evaluation, field));
  if (name.experiment == parent.experiment) return absl::OkStatus();
  return InvalidField(field, StrCat("must be an evaluation of ", parent.ToString()));
}

// Puts the kept form of the feedback or the expectation into `kept`.
absl::Status KeepKind(const v1::Assessment& assessment, std::string_view field,
                      v1::Assessment* kept) {
  if (assessment.has_feedback()) {
    ASSAY_ASSIGN_OR_RETURN(
        *kept->mutable_feedback(),
        KeptFeedback(assessment.feedback(), assessment.source().kind(), At(field, "feedback")));
    return absl::OkStatus();
  }
  if (assessment.has_expectation()) {
    ASSAY_ASSIGN_OR_RETURN(*kept->mutable_expectation(),
                           KeptExpectation(assessment.expectation(), At(field, "expectation")));
    return absl::OkStatus();
  }
  return InvalidField(field, "needs exactly one of `feedback` and `expectation`");
}

}  // namespace

absl::Status CheckAssessmentName(std::string_view assessment_name, std::string_view field) {
  const size_t chars = json::CountChars(assessment_name);
  if (chars >= 1 && chars <= kMaxAssessmentNameChars) return absl::OkStatus();
  if (chars == 0) return InvalidField(field, "is required");
  return InvalidField(field, StrCat("has ", chars, " characters; at most ", kMaxAssessmentNameChars,
                                    " are allowed"));
}

absl::Status CheckMetadata(const google::protobuf::Map<std::string, std::string>& metadata,
                           std::string_view field) {
  Problems problems;
  if (metadata.size() > static_cast<size_t>(kMaxMetadataEntries)) {
    problems.Add(field, StrCat("has ", metadata.size(), " entries; at most ", kMaxMetadataEntries,
                               " are allowed"));
  }
  for (const auto& [key, value] : metadata) {
    const std::string entry = StrCat(field, "[", json::PreviewOf(key, 40), "]");
    if (key.empty() || json::CountChars(key) > kMaxMetadataKeyChars) {
      problems.Add(entry, StrCat("a key has 1 to ", kMaxMetadataKeyChars, " characters"));
    }
    if (json::CountChars(value) > kMaxMetadataValueChars) {
      problems.Add(entry, StrCat("a value has at most ", kMaxMetadataValueChars, " characters"));
    }
  }
  return problems.ToStatus();
}

absl::StatusOr<Source> KeptSource(const Source& source, std::string_view field) {
  Problems problems;
  if (source.kind() < common::v1::SOURCE_KIND_HUMAN ||
      source.kind() > common::v1::SOURCE_KIND_CODE) {
    problems.Add(At(field, "kind"), "is required: one of HUMAN, LLM_JUDGE, CODE");
  }
  if (json::CountChars(source.id()) > kMaxSourceIdChars) {
    problems.Add(At(field, "id"), StrCat("has at most ", kMaxSourceIdChars, " characters"));
  }
  ASSAY_RETURN_IF_ERROR(problems.ToStatus());
  Source kept = source;
  if (kept.id().empty()) kept.set_id("default");
  return kept;
}

absl::StatusOr<Feedback> KeptFeedback(const Feedback& feedback, SourceKind source_kind,
                                      std::string_view field) {
  Problems problems;
  Feedback kept = feedback;
  if (source_kind == common::v1::SOURCE_KIND_HUMAN) kept.clear_provenance();
  if (feedback.has_value()) {
    absl::StatusOr<JsonValue> value = KeptValue(feedback.value(), At(field, "value"));
    problems.Add(At(field, "value"), value.status());
    if (value.ok()) *kept.mutable_value() = *std::move(value);
  }
  if (kept.has_error()) {
    problems.Add(At(field, "error"), KeepError(kept.mutable_error(), At(field, "error")));
  }
  if (kept.has_confidence()) {
    problems.Add(At(field, "confidence"),
                 CheckConfidence(kept.confidence(), At(field, "confidence")));
  }
  problems.Add(field, CheckTexts(kept, field));
  problems.Add(field, SettleOutcome(&kept, field));
  ASSAY_RETURN_IF_ERROR(problems.ToStatus());
  return kept;
}

absl::StatusOr<Expectation> KeptExpectation(const Expectation& expectation,
                                            std::string_view field) {
  const std::string value_field = At(field, "value");
  if (!expectation.has_value()) return InvalidField(value_field, "is required");
  Expectation kept;
  ASSAY_ASSIGN_OR_RETURN(*kept.mutable_value(), KeptValue(expectation.value(), value_field));
  if (IsNull(kept.value())) return InvalidField(value_field, "an expectation cannot be null");
  return kept;
}

absl::StatusOr<v1::Assessment> KeptAssessment(const names::ExperimentName& parent,
                                              const v1::Assessment& assessment,
                                              std::string_view field) {
  Problems problems;
  v1::Assessment kept;
  problems.Add(At(field, "assessment_name"),
               CheckAssessmentName(assessment.assessment_name(), At(field, "assessment_name")));
  problems.Add(At(field, "target"), CheckTarget(parent, assessment.target(), At(field, "target")));
  absl::StatusOr<Source> source = KeptSource(assessment.source(), At(field, "source"));
  problems.Add(At(field, "source"), source.status());
  problems.Add(field, KeepKind(assessment, field, &kept));
  problems.Add(At(field, "metadata"), CheckMetadata(assessment.metadata(), At(field, "metadata")));
  problems.Add(At(field, "evaluation"),
               CheckEvaluation(parent, assessment.evaluation(), At(field, "evaluation")));
  ASSAY_RETURN_IF_ERROR(problems.ToStatus());
  kept.set_assessment_name(assessment.assessment_name());
  *kept.mutable_target() = assessment.target();
  *kept.mutable_source() = *std::move(source);
  *kept.mutable_metadata() = assessment.metadata();
  kept.set_evaluation(assessment.evaluation());
  return kept;
}

}  // namespace assay::feedback
