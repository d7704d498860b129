// What providers say of their limits in the headers of an answer.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_RATE_HEADERS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_RATE_HEADERS_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "common/http/http_client.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// From x-ratelimit-remaining-requests and its kin (OpenAI, Azure and most others) or
// anthropic-ratelimit-requests-remaining and its kin. What makes no sense is left out; times until
// a reset are at most a day.
RateHints ReadRateHints(const std::vector<http::HttpHeader>& headers, absl::Time now);

// Retry-After (seconds or date) or retry-after-ms of an answer; nullopt if there is none that makes
// sense.
std::optional<absl::Duration> RetryAfterHeader(const http::HttpResponse& answer, absl::Time now);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_RATE_HEADERS_H_
