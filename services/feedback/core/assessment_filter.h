// Assessments as filters see them.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_FILTER_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_FILTER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "assay/feedback/v1/assessment.pb.h"
#include "common/filter/filter.h"

namespace assay::feedback {

// INVALID_ARGUMENT (INVALID_FILTER) naming the column. Thread-safe, as all functions here.
absl::StatusOr<filter::Filter> ParseAssessmentFilter(std::string_view text);

bool MatchesAssessment(const filter::Filter& filter, const v1::Assessment& assessment);

// The only trace of which assessments can match: what the filter demands by `trace_id = "…"`. Empty
// if it demands none.
std::string DemandedTrace(const filter::Filter& filter);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_FILTER_H_
