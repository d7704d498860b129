// What went wrong with a call of a user's server, in words that its author understands.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_USER_CALL_ERROR_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_USER_CALL_ERROR_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/exec/call_context.h"

namespace assay::judge {

// `status` is not OK. The reason is `<prefix>_TIMEOUT`, `_UNREACHABLE` (also one that crashed while
// it answered), `_INVALID_RESPONSE` (too large) or `_FAILED` (its own error, whose code and message
// are kept). A cancelled context's status stays as it is. `who` names the server in the message.
absl::Status UserCallError(std::string_view prefix, std::string_view who, absl::Duration timeout,
                           const CallContext& context, const absl::Status& status);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_USER_CALL_ERROR_H_
