// Sends each call to the provider that its model URI names.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_ROUTER_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_ROUTER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "services/judge/clients/limits/circuit_model_client.h"
#include "services/judge/clients/limits/limit_config.h"
#include "services/judge/clients/limits/limited_model_client.h"
#include "services/judge/clients/limits/retrying_model_client.h"
#include "services/judge/clients/model_config.h"
#include "services/judge/clients/provider_catalog.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Before each provider stand, from the outside: a circuit for each of its models, the retries, the
// limits that each attempt waits for. The offline model needs none of them. Thread-safe.
class ModelRouter final : public ModelClient {
 public:
  // All outlive the router's calls. To end: Shutdown(), then drain the executor, then destroy
  // timers and HTTP client (what they still hold is answered), then the router.
  struct Dependencies {
    http::HttpClient* http;
    Executor* executor;
    TimerQueue* timers;
    Clock* clock;
    std::function<double()>
        random;  // Evenly in [0, 1), for backoff. Thread-safe. Null: one of its own.
    // What hears how the attempts at a provider end, by its URI prefix. May be null.
    std::function<std::function<void(FailureClass)>(const std::string& uri_prefix)> attempts_of;
  };

  struct ProviderStatus {
    std::string uri_prefix;   // "openai:/", "endpoints:/local", "offline:/lexical".
    bool configured = false;  // Needs no credential, or has one.
    LimitStats limits;
    std::vector<std::string> open_circuits;  // Models that are not asked for a while.
  };

  // What a URI comes to.
  struct Target {
    std::string identity;  // Of server and model; "" for the offline model, and if there is none.
    std::string provider;  // "openai", "endpoints/local"; "offline" costs nothing.
    std::string model;     // By its own name; "" if only the server knows.
  };

  // `offline` answers offline:/lexical; null if there is none. `policy.max_attempts` comes from
  // `config`.
  ModelRouter(const ModelConfig& config, const Dependencies& dependencies,
              std::unique_ptr<ModelClient> offline, RetryPolicy policy = {},
              const LimitConfig& limits = {});
  ~ModelRouter() override;

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override;

  // What Complete would refuse at once: INVALID_ARGUMENT INVALID_MODEL_URI, which lists the forms;
  // FAILED_PRECONDITION MODEL_NOT_CONFIGURED, which names what to set, never its value.
  absl::Status Check(std::string_view model_uri) const;

  // All providers and endpoints, in a fixed order.
  std::vector<ProviderStatus> Providers() const;
  // The URI prefixes of those that limits stand before.
  std::vector<std::string> LimitedProviders() const;
  // Of one provider, by its URI prefix; nullopt if there is none.
  std::optional<ProviderStatus> StatusOf(std::string_view uri_prefix) const;
  // Empty if Complete would refuse it.
  Target TargetOf(std::string_view model_uri) const;
  const std::string& default_model() const { return default_model_; }

  // From now on no attempt is begun; who waits is answered with CANCELLED.
  void Shutdown();

 private:
  struct Route {
    ModelRoute provider;  // Its client is the circuit.
    // Inside the client; null for the offline model.
    CircuitModelClient* circuit = nullptr;
    RetryingModelClient* retrying = nullptr;
    LimitedModelClient* limited = nullptr;
  };

  void AddRoute(ModelRoute provider);
  static ProviderStatus StatusOf(const Route& route);
  absl::StatusOr<const Route*> Find(std::string_view model_uri) const;

  const Dependencies dependencies_;
  const std::string default_model_;
  const RetryPolicy policy_;
  const LimitConfig limits_;
  const size_t max_in_flight_;
  const size_t max_queued_;
  std::map<std::string, Route> routes_;  // By provider, "endpoints/<name>", or whole offline URI.
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_ROUTER_H_
