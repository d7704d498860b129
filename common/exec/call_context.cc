#include "common/exec/call_context.h"

#include <algorithm>

#include "common/status/errors.h"

namespace assay::inline exec {

absl::Duration CallContext::Remaining(absl::Time now) const {
  return std::max(deadline - now, absl::ZeroDuration());
}

absl::Status CallContext::Check(absl::Time now) const {
  if (Cancelled()) {
    return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the call was cancelled");
  }
  if (now >= deadline) {
    return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                     "the call's deadline has passed");
  }
  return absl::OkStatus();
}

CallContext CallContext::WithDeadlineAtMost(absl::Time limit) const {
  CallContext copy = *this;
  copy.deadline = std::min(deadline, limit);
  return copy;
}

}  // namespace assay::inline exec
