// What a provider's client tells those around it about an attempt that failed.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_ATTEMPT_ERROR_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_ATTEMPT_ERROR_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/http/http_client.h"
#include "services/judge/clients/rate_headers.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Marks `error` as worth another attempt, not before `retry_after` if the provider said so. The
// mark is a payload that must not leave the process: the retry loop takes it off.
absl::Status MarkRetriable(absl::Status error, std::optional<absl::Duration> retry_after = {});
bool IsRetriable(const absl::Status& error);
std::optional<absl::Duration> RetryAfterOf(const absl::Status& error);

// The provider's limits as the failed answer told them; a payload too.
absl::Status WithRateHints(absl::Status error, const RateHints& hints);
RateHints RateHintsOf(const absl::Status& error);

// Without any of these payloads.
absl::Status WithoutRetryMark(absl::Status error);

// What a provider wrote about an error, whatever its form.
struct ProviderError {
  std::string type;                           // Also Google's status and Amazon's exception.
  std::string code;                           // Also the reason in Google's details.
  std::string param;                          // What is at fault, where it is said.
  std::string message;                        // The body itself if it is no error object.
  std::optional<absl::Duration> retry_after;  // From Google's details.
  bool per_day = false;                       // Google: a daily quota is used up.
};
ProviderError ReadProviderError(const http::HttpResponse& answer);

// The error for a transport failure (errors of HttpClient::Send), marked where another attempt may
// help. RESOURCE_EXHAUSTED MODEL_ANSWER_TOO_LARGE for an answer that was cut off for its size.
absl::Status TransportError(std::string_view provider, const absl::Status& error);

// The error for an answer whose status is not 2xx, marked where another attempt may help: UNAVAILABLE
// MODEL_UNREACHABLE (5xx, 408, 409, 424, 429), RESOURCE_EXHAUSTED MODEL_QUOTA_EXHAUSTED,
// FAILED_PRECONDITION MODEL_UNAUTHORIZED (401, 403), INVALID_ARGUMENT MODEL_CONTEXT_OVERFLOW or
// MODEL_REFUSED. Metadata http_status. What the provider wrote is quoted in part, without `secrets`
// and anything else that looks like a key.
absl::Status AnswerError(std::string_view provider, const std::vector<std::string>& secrets,
                         const http::HttpResponse& answer, absl::Time now);

// The error for a 2xx answer that is not what the provider's contract says; marked.
absl::Status UnreadableAnswer(std::string_view provider, std::string_view what);

// INVALID_ARGUMENT MODEL_REFUSED, for a 2xx answer that says that the model will not answer.
absl::Status RefusedAnswer(std::string_view provider, std::string_view what);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_ATTEMPT_ERROR_H_
