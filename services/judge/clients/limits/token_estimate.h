// How many tokens a call will consume, before it is made.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_TOKEN_ESTIMATE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_TOKEN_ESTIMATE_H_

#include <cstdint>
#include <optional>

#include "services/judge/core/model_client.h"

namespace assay::judge {

// Bytes of everything that the model reads. Thread-safe, as all here.
int64_t PromptBytes(const ModelRequest& request);

// What is likely: about four bytes a token.
int64_t LikelyInputTokens(const ModelRequest& request);

// The same, and an answer of a judge's size. For rates, which are corrected afterwards.
double ExpectedTokens(const ModelRequest& request);

// What is not exceeded: a token has at least one byte, and providers add a few tokens a message.
int64_t MostInputTokens(const ModelRequest& request);

// `max_tokens` of the request.
std::optional<int64_t> MostOutputTokens(const ModelRequest& request);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_TOKEN_ESTIMATE_H_
