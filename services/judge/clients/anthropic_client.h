// ModelClient for Anthropic's messages API.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_CLIENT_H_

#include <utility>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "services/judge/clients/provider_options.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// One attempt a call; errors that another attempt may cure are marked so (attempt_error.h). An
// answer by schema is asked for through a tool that the model must call. Outlives its calls.
// Thread-safe.
class AnthropicClient final : public ModelClient {
 public:
  // All outlive the client.
  struct Dependencies {
    http::HttpClient* http;
    Executor* executor;
    Clock* clock;
  };

  AnthropicClient(ProviderOptions options, Dependencies dependencies)
      : options_(std::move(options)), dependencies_(dependencies) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;

 private:
  const ProviderOptions options_;
  const Dependencies dependencies_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_CLIENT_H_
