// Etags: the assessment's id and a counter of its changes, in the quotes that AIP-154 asks for.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_ETAG_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_ETAG_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace assay::feedback {

std::string FirstEtag(std::string_view id);
// The etag after one more change.
std::string NextEtag(std::string_view etag);

// OK if `expected` is empty or is `current`; else ABORTED with ETAG_MISMATCH.
absl::Status CheckEtag(std::string_view expected, std::string_view current,
                       std::string_view resource_name);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_ETAG_H_
