// ModelClient for one provider: its wire over HTTP.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CLIENT_H_

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
// question that this needs belongs to the same attempt. Outlives its calls. Thread-safe.
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

  void Send(std::unique_ptr<Call> call);
  absl::StatusOr<http::HttpRequest> MakeRequest(Call& call);
  std::shared_ptr<const http::AwsSigning> Aws() const;
  void OnAnswer(std::unique_ptr<Call> call, absl::StatusOr<http::HttpResponse> answer);
  // True if the call is to be made again with less.
  bool DropRefusedFeature(Call& call, const http::HttpResponse& answer) ABSL_LOCKS_EXCLUDED(mutex_);
  WireFeatures FeaturesOf(const std::string& model) const ABSL_LOCKS_EXCLUDED(mutex_);

  const ProviderOptions options_;
  const std::unique_ptr<ProviderWire> wire_;
  const Dependencies dependencies_;
  mutable Mutex mutex_;
  // Of models that refuse something.
  std::unordered_map<std::string, WireFeatures> features_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CLIENT_H_
