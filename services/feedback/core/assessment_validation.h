// The rules of what an assessment may say.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_VALIDATION_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_VALIDATION_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/feedback/v1/assessment.pb.h"
#include "common/names/resource_name.h"
#include "google/protobuf/map.h"

namespace assay::feedback {

inline constexpr size_t kMaxAssessmentNameChars = 250;
inline constexpr size_t kMaxSourceIdChars = 250;
inline constexpr size_t kMaxLabelChars = 250;
inline constexpr size_t kMaxRationaleBytes = 64 << 10;
inline constexpr size_t kMaxValueBytes = 256 << 10;
inline constexpr size_t kMaxErrorCodeChars = 63;
inline constexpr size_t kMaxErrorMessageChars = 4096;
inline constexpr size_t kMaxMetadataKeyChars = 250;
inline constexpr size_t kMaxMetadataValueChars = 4096;
inline constexpr int kMaxMetadataEntries = 100;
inline constexpr size_t kMaxProvenanceBytes = 64 << 10;

// All functions are thread-safe. `field` is the path of what is checked in the request, such as
// `assessments[3]`; INVALID_ARGUMENT names every field below it that breaks a rule.

// The form in which an assessment of a request is kept: values as JSON text, defaults filled in,
// the outcome derived, a long error message cut, output-only fields cleared (but the provenance of
// what judges and code say).
absl::StatusOr<v1::Assessment> KeptAssessment(const names::ExperimentName& parent,
                                              const v1::Assessment& assessment,
                                              std::string_view field);

// The parts of it.
absl::StatusOr<common::v1::Source> KeptSource(const common::v1::Source& source,
                                              std::string_view field);
absl::StatusOr<common::v1::Feedback> KeptFeedback(const common::v1::Feedback& feedback,
                                                  common::v1::SourceKind source_kind,
                                                  std::string_view field);
absl::StatusOr<common::v1::Expectation> KeptExpectation(const common::v1::Expectation& expectation,
                                                        std::string_view field);
absl::Status CheckAssessmentName(std::string_view assessment_name, std::string_view field);
absl::Status CheckMetadata(const google::protobuf::Map<std::string, std::string>& metadata,
                           std::string_view field);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_ASSESSMENT_VALIDATION_H_
