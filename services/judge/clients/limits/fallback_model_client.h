// Asks the next model of a chain where the one before cannot answer.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_FALLBACK_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_FALLBACK_MODEL_CLIENT_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Goes on to the next of ModelRequest.fallback_models (of the default chain if the request has
// none) after MODEL_UNREACHABLE, an open circuit included, MODEL_QUOTA_EXHAUSTED, and
// MODEL_TIMEOUT while there is time left. The answer's model_uri says who gave it; if all fail,
// the first model's error is answered, with the metadata `fallbacks`: how many were asked in vain.
// Outlives its calls. Thread-safe.
class FallbackModelClient final : public ModelClient {
 public:
  // Both outlive it.
  FallbackModelClient(ModelClient& inner, std::vector<std::string> default_chain, Clock& clock)
      : inner_(inner), default_chain_(std::move(default_chain)), clock_(clock) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override { return inner_.Traits(model_uri); }

 private:
  struct Chain;
  void Ask(std::unique_ptr<Chain> chain);
  void OnAnswer(std::unique_ptr<Chain> chain, absl::StatusOr<ModelResponse> answer);

  ModelClient& inner_;
  const std::vector<std::string> default_chain_;
  Clock& clock_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_FALLBACK_MODEL_CLIENT_H_
