// The port to kept answers of models.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CACHE_RESPONSE_CACHE_H_
#define ASSAY_SERVICES_JUDGE_CORE_CACHE_RESPONSE_CACHE_H_

#include <optional>
#include <string>

#include "services/judge/core/model_client.h"

namespace assay::judge {

// Thread-safe.
class ResponseCache {
 public:
  virtual ~ResponseCache() = default;

  // The answer under `key` (cache_key.h), as a cache gives it: free, without attempts. nullopt if
  // there is none, or if it cannot be read. Blocks on storage.
  virtual std::optional<ModelResponse> Find(const std::string& key) = 0;

  // Keeps an answer, in place of one that was there. Blocks nothing; the answer may be lost if the
  // process dies within seconds.
  virtual void Keep(const std::string& key, const ModelResponse& response) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CACHE_RESPONSE_CACHE_H_
