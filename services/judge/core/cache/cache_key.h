// Under what an answer is kept.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CACHE_CACHE_KEY_H_
#define ASSAY_SERVICES_JUDGE_CORE_CACHE_CACHE_KEY_H_

#include <string>
#include <string_view>

#include "services/judge/core/model_client.h"

namespace assay::judge {

// SHA-256, 32 bytes, over everything that can change the answer: `identity` (which server and
// model), messages, schema, tools, parameters, token probabilities and the sample's number. Who
// asks, and under which URI, does not matter. Thread-safe.
std::string CacheKey(std::string_view identity, const ModelRequest& request);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CACHE_CACHE_KEY_H_
