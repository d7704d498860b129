#include "services/feedback/core/assessment_update.h"

#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/json/utf8.h"
#include "common/proto/time.h"
#include "common/request/etag.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/feedback/core/assessment_validation.h"

namespace assay::feedback {
namespace {

using common::v1::Feedback;
using google::protobuf::FieldMask;

constexpr std::string_view kAssessmentName = "assessment_name";
constexpr std::string_view kFeedbackValue = "feedback.value";
constexpr std::string_view kFeedbackError = "feedback.error";
constexpr std::string_view kFeedbackRationale = "feedback.rationale";
constexpr std::string_view kExpectationValue = "expectation.value";
constexpr std::string_view kMetadata = "metadata";
constexpr std::array kChangeable = {kAssessmentName,    kFeedbackValue,    kFeedbackError,
                                    kFeedbackRationale, kExpectationValue, kMetadata};
constexpr char kAllowed[] =
    "allowed are assessment_name, feedback.value, feedback.error, feedback.rationale, "
    "expectation.value, metadata";

bool Names(const FieldMask& mask, std::string_view path) {
  return std::find(mask.paths().begin(), mask.paths().end(), path) != mask.paths().end();
}

absl::Status RefusePath(const std::string& path) {
  const bool exists = google::protobuf::util::FieldMaskUtil::IsValidPath<v1::Assessment>(path);
  return InvalidField(
      "update_mask",
      StrCat("\"", json::PreviewOf(path, 60), "\" ",
             exists ? "cannot be changed; " : "is no field of an assessment; ", kAllowed),
      exists ? "IMMUTABLE_FIELD" : "UNKNOWN_FIELD");
}

// The mask must speak of the kind that the assessment has.
absl::Status CheckKind(const v1::Assessment& current, const FieldMask& mask) {
  const std::string_view other = current.has_feedback() ? "expectation." : "feedback.";
  for (const std::string& path : mask.paths()) {
    if (!std::string_view(path).starts_with(other)) continue;
    return InvalidField("update_mask",
                        StrCat("\"", path, "\": the assessment is ",
                               current.has_feedback() ? "a feedback" : "an expectation",
                               ", and that cannot be changed"),
                        "IMMUTABLE_FIELD");
  }
  return absl::OkStatus();
}

void ApplyToFeedback(const Feedback& news, const FieldMask& mask, Feedback* feedback) {
  const bool value = Names(mask, kFeedbackValue);
  const bool error = Names(mask, kFeedbackError);
  if (value || error) feedback->clear_outcome();
  if (value || (error && news.has_error())) {
    feedback->clear_value();
    if (value && news.has_value()) *feedback->mutable_value() = news.value();
  }
  if (error || (value && news.has_value())) {
    feedback->clear_error();
    if (error && news.has_error()) *feedback->mutable_error() = news.error();
  }
  if (Names(mask, kFeedbackRationale)) feedback->set_rationale(news.rationale());
}

absl::Status ApplyKind(const v1::UpdateAssessmentRequest& request, v1::Assessment* changed) {
  const FieldMask& mask = request.update_mask();
  if (changed->has_feedback()) {
    ApplyToFeedback(request.assessment().feedback(), mask, changed->mutable_feedback());
    ASSAY_ASSIGN_OR_RETURN(
        *changed->mutable_feedback(),
        KeptFeedback(changed->feedback(), changed->source().kind(), "assessment.feedback"));
  } else if (Names(mask, kExpectationValue)) {
    ASSAY_ASSIGN_OR_RETURN(
        *changed->mutable_expectation(),
        KeptExpectation(request.assessment().expectation(), "assessment.expectation"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckUpdate(const v1::UpdateAssessmentRequest& request) {
  if (request.update_mask().paths().empty()) {
    return InvalidField("update_mask", StrCat("is required; ", kAllowed));
  }
  for (const std::string& path : request.update_mask().paths()) {
    if (std::find(kChangeable.begin(), kChangeable.end(), path) == kChangeable.end()) {
      return RefusePath(path);
    }
  }
  if (!request.has_assessment()) return InvalidField("assessment", "is required");
  return absl::OkStatus();
}

absl::StatusOr<v1::Assessment> UpdatedAssessment(const v1::Assessment& current,
                                                 const v1::UpdateAssessmentRequest& request,
                                                 absl::Time now) {
  const FieldMask& mask = request.update_mask();
  ASSAY_RETURN_IF_ERROR(CheckEtag(request.etag(), current.etag(), current.name()));
  ASSAY_RETURN_IF_ERROR(CheckKind(current, mask));
  v1::Assessment changed = current;
  if (Names(mask, kAssessmentName)) {
    ASSAY_RETURN_IF_ERROR(
        CheckAssessmentName(request.assessment().assessment_name(), "assessment.assessment_name"));
    changed.set_assessment_name(request.assessment().assessment_name());
  }
  if (Names(mask, kMetadata)) {
    for (const auto& [key, value] : request.assessment().metadata()) {
      (*changed.mutable_metadata())[key] = value;
    }
    ASSAY_RETURN_IF_ERROR(CheckMetadata(changed.metadata(), "assessment.metadata"));
  }
  ASSAY_RETURN_IF_ERROR(ApplyKind(request, &changed));
  *changed.mutable_update_time() = proto::ToTimestamp(now);
  changed.set_etag(NextEtag(current.etag()));
  return changed;
}

}  // namespace assay::feedback
