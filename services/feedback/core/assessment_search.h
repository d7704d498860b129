// Reading many assessments: search, and the traces that are labelled by all who must have labelled
// them.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_SEARCH_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_SEARCH_H_

#include "absl/status/statusor.h"
#include "assay/feedback/v1/feedback_service.pb.h"
#include "services/feedback/core/feedback_store.h"

namespace assay::feedback {

// Thread-safe. Blocks on storage. Errors are those of the methods in
// protos/assay/feedback/v1/feedback_service.proto.
class AssessmentSearch {
 public:
  // `store` outlives this.
  explicit AssessmentSearch(const FeedbackStore& store) : store_(store) {}

  absl::StatusOr<v1::SearchAssessmentsResponse> Search(
      const v1::SearchAssessmentsRequest& request) const;
  absl::StatusOr<v1::ListAssessedTracesResponse> ListAssessedTraces(
      const v1::ListAssessedTracesRequest& request) const;

 private:
  const FeedbackStore& store_;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_SEARCH_H_
