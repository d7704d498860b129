// ModelClient for OpenAI's chat completions and every server that speaks them.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_CLIENT_H_

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "common/sync/mutex.h"
#include "services/judge/clients/provider_options.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// One attempt a call; errors that another attempt may cure are marked so (attempt_error.h). A model
// whose server refuses structured output is remembered, and asked without from then on: that second
// question belongs to the same attempt. Outlives its calls. Thread-safe.
class OpenAiClient final : public ModelClient {
 public:
  // All outlive the client.
  struct Dependencies {
    http::HttpClient* http;
    Executor* executor;
    Clock* clock;
  };

  OpenAiClient(ProviderOptions options, Dependencies dependencies)
      : options_(std::move(options)), dependencies_(dependencies) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;

 private:
  struct Call;

  void Send(std::unique_ptr<Call> call);
  void OnAnswer(std::unique_ptr<Call> call, absl::StatusOr<http::HttpResponse> answer)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const ProviderOptions options_;
  const Dependencies dependencies_;
  Mutex mutex_;
  std::set<std::string> unstructured_models_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_CLIENT_H_
