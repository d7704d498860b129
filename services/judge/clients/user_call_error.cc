#include "services/judge/clients/user_call_error.h"

#include <string>

#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

absl::Status UserCallError(std::string_view prefix, std::string_view who, absl::Duration timeout,
                           const CallContext& context, const absl::Status& status) {
  if (context.Cancelled()) return status;
  const std::string_view message = ToStd(status.message());
  auto error = [&](std::string_view suffix, const std::string& text) {
    return MakeError(status.code(), StrCat(prefix, suffix), text);
  };
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return error("_TIMEOUT", StrCat(who, " did not answer within ", absl::FormatDuration(timeout)));
  }
  if (ErrorReason(status) == "PEER_UNREACHABLE") return error("_UNREACHABLE", std::string(message));
  // gRPC's own words; its code alone may as well be the server's.
  if (status.code() == absl::StatusCode::kResourceExhausted &&
      message.find("larger than max") != std::string_view::npos) {
    return error("_INVALID_RESPONSE", StrCat(who, " sent too large an answer: ", message));
  }
  return error("_FAILED", StrCat(who, " failed with ", absl::StatusCodeToString(status.code()),
                                 ": ", message));
}

}  // namespace assay::judge
