// UpdateAssessment: which fields may change, and how the change looks.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_UPDATE_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_UPDATE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/feedback/v1/feedback_service.pb.h"

namespace assay::feedback {

// What can be said without the assessment itself: INVALID_ARGUMENT for an empty mask, a path that
// does not exist (UNKNOWN_FIELD) or cannot change (IMMUTABLE_FIELD). Thread-safe.
absl::Status CheckUpdate(const v1::UpdateAssessmentRequest& request);

// `current` after the update. ABORTED for a stale etag; INVALID_ARGUMENT with fields below
// `assessment`, or IMMUTABLE_FIELD if the mask names parts of the other kind. A new value takes the
// place of an error, and the other way round. Thread-safe.
absl::StatusOr<v1::Assessment> UpdatedAssessment(const v1::Assessment& current,
                                                 const v1::UpdateAssessmentRequest& request,
                                                 absl::Time now);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_UPDATE_H_
