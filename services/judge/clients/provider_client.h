// ModelClient for one provider: its wire over HTTP.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "common/sync/mutex.h"
#include "services/judge/clients/provider_options.h"
#include "services/judge/clients/provider_wire.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// One attempt a call; errors that another attempt may cure are marked so (attempt_error.h). A
// feature that a model refuses (WireFeatures) is remembered, and left out from then on: the second
// question that this needs belongs to the same attempt. So is the length of a prompt that a model
// says it takes. Outlives its calls. Thread-safe.
class ProviderClient final : public ModelClient {
 public:
  // All outlive the client.
  struct Dependencies {
    http::HttpClient* http;
    Executor* executor;
    Clock* clock;
  };

  ProviderClient(ProviderOptions options, std::unique_ptr<ProviderWire> wire,
                 Dependencies dependencies)
      : options_(std::move(options)), wire_(std::move(wire)), dependencies_(dependencies) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Call;
  // What a model's refusals have told of it.
  struct Learned {
    WireFeatures features;
    int64_t max_input_tokens = 0;  // 0: nothing.
  };

  void Send(std::unique_ptr<Call> call);
  void SendWithCredential(std::unique_ptr<Call> call);
  absl::StatusOr<http::HttpRequest> MakeRequest(Call& call);
  std::shared_ptr<const http::AwsSigning> Aws() const;
  void OnAnswer(std::unique_ptr<Call> call, absl::StatusOr<http::HttpResponse> answer);
  // True if the call is to be made again with less.
  bool DropRefusedFeature(Call& call, const http::HttpResponse& answer) ABSL_LOCKS_EXCLUDED(mutex_);
  void LearnLimit(const Call& call, const http::HttpResponse& answer, const absl::Status& error)
      ABSL_LOCKS_EXCLUDED(mutex_);
  WireFeatures FeaturesOf(const std::string& model) const ABSL_LOCKS_EXCLUDED(mutex_);
  Learned& LearnedOf(const std::string& model) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProviderOptions options_;
  const std::unique_ptr<ProviderWire> wire_;
  const Dependencies dependencies_;
  mutable Mutex mutex_;
  // Of models that refuse something.
  std::unordered_map<std::string, Learned> learned_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CLIENT_H_
