// Errors of those who may come again later: quotas that are used up, and what is away for a while.
#ifndef ASSAY_COMMON_STATUS_QUOTA_ERRORS_H_
#define ASSAY_COMMON_STATUS_QUOTA_ERRORS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace assay::inline status {

// RESOURCE_EXHAUSTED with QuotaFailure: `subject` names the quota, `description` says how much of
// it is left. Thread-safe, as all here.
absl::Status QuotaExhausted(std::string_view reason, std::string_view subject,
                            std::string_view description);

// The same error with RetryInfo. Returns an OK status as it is.
absl::Status WithRetryAfter(absl::Status status, absl::Duration retry_after);

}  // namespace assay::inline status

#endif  // ASSAY_COMMON_STATUS_QUOTA_ERRORS_H_
