// Etags: the resource's uid and a counter of its changes, in the quotes that AIP-154 asks for.
#ifndef ASSAY_COMMON_REQUEST_ETAG_H_
#define ASSAY_COMMON_REQUEST_ETAG_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace assay {

std::string FirstEtag(std::string_view uid);
// The etag after one more change.
std::string NextEtag(std::string_view etag);

// OK if `expected` is empty or is `current`; else ABORTED with ETAG_MISMATCH.
absl::Status CheckEtag(std::string_view expected, std::string_view current,
                       std::string_view resource_name);

}  // namespace assay

#endif  // ASSAY_COMMON_REQUEST_ETAG_H_
