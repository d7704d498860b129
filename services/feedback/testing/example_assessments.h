// Assessments that are right, to be spoilt by tests.
#ifndef ASSAY_SERVICES_FEEDBACK_TESTING_EXAMPLE_ASSESSMENTS_H_
#define ASSAY_SERVICES_FEEDBACK_TESTING_EXAMPLE_ASSESSMENTS_H_

#include <string>

#include "assay/feedback/v1/assessment.pb.h"

namespace assay::feedback {

// A trace's id ending in `number`, 1 to 9.
inline std::string TraceId(int number) { return std::string(31, '0') + std::to_string(number); }
inline std::string TraceNameOf(int number) {
  return "experiments/support/traces/" + TraceId(number);
}

inline v1::Assessment ExampleFeedback(int trace, common::v1::SourceKind kind,
                                      const std::string& json = "\"good\"") {
  v1::Assessment assessment;
  assessment.set_assessment_name("support_quality");
  assessment.mutable_target()->set_trace(TraceNameOf(trace));
  assessment.mutable_source()->set_kind(kind);
  assessment.mutable_feedback()->mutable_value()->set_json_text(json);
  return assessment;
}

inline v1::Assessment ExampleExpectation(int trace, const std::string& json = "\"a refund\"") {
  v1::Assessment assessment;
  assessment.set_assessment_name("expected_answer");
  assessment.mutable_target()->set_trace(TraceNameOf(trace));
  assessment.mutable_source()->set_kind(common::v1::SOURCE_KIND_HUMAN);
  assessment.mutable_expectation()->mutable_value()->set_json_text(json);
  return assessment;
}

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_TESTING_EXAMPLE_ASSESSMENTS_H_
