// What a provider's client tells the retry loop about an attempt that failed.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_ATTEMPT_ERROR_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_ATTEMPT_ERROR_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/http/http_client.h"

namespace assay::judge {

// Marks `error` as worth another attempt, not before `retry_after` if the provider said so. The
// mark is a payload that must not leave the process: the retry loop takes it off.
absl::Status MarkRetriable(absl::Status error, std::optional<absl::Duration> retry_after = {});
bool IsRetriable(const absl::Status& error);
std::optional<absl::Duration> RetryAfterOf(const absl::Status& error);
absl::Status WithoutRetryMark(absl::Status error);

// Retry-After (seconds or date) or retry-after-ms of an answer; nullopt if there is none that makes
// sense.
std::optional<absl::Duration> RetryAfterHeader(const http::HttpResponse& answer, absl::Time now);

// The error for a transport failure (errors of HttpClient::Send), marked where another attempt may
// help.
absl::Status TransportError(std::string_view provider, const absl::Status& error);

// The error for an answer whose status is not 2xx, marked where another attempt may help. What the
// provider wrote is quoted in part, without `api_key` and anything else that looks like a key.
absl::Status AnswerError(std::string_view provider, const std::string& api_key,
                         const http::HttpResponse& answer, absl::Time now);

// The error for a 2xx answer that is not what the provider's contract says; marked.
absl::Status UnreadableAnswer(std::string_view provider, std::string_view what);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_ATTEMPT_ERROR_H_
