#include "services/judge/clients/model_router.h"

#include <random>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/model_uri.h"

namespace assay::judge {
namespace {

double ThreadRandom() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

ModelRouter::Dependencies WithRandom(ModelRouter::Dependencies dependencies) {
  if (!dependencies.random) dependencies.random = ThreadRandom;
  return dependencies;
}

RetryPolicy WithAttempts(RetryPolicy policy, int attempts) {
  policy.max_attempts = attempts;
  return policy;
}

}  // namespace

ModelRouter::ModelRouter(const ModelConfig& config, const Dependencies& dependencies,
                         std::unique_ptr<ModelClient> offline, RetryPolicy policy,
                         const LimitConfig& limits)
    : dependencies_(WithRandom(dependencies)),
      default_model_(config.default_model),
      policy_(WithAttempts(policy, config.attempts)),
      limits_(limits),
      max_in_flight_(static_cast<size_t>(config.max_in_flight)),
      max_queued_(static_cast<size_t>(config.max_queued)) {
  for (ModelRoute& route :
       MakeModelRoutes(config, {dependencies_.http, dependencies_.executor, dependencies_.clock})) {
    AddRoute(std::move(route));
  }
  if (offline != nullptr) {
    Route route;
    route.provider.uri_prefix = std::string(kOfflineModel);
    route.provider.client = std::move(offline);
    routes_.emplace(kOfflineModel, std::move(route));
  }
}

ModelRouter::~ModelRouter() { Shutdown(); }

void ModelRouter::AddRoute(ModelRoute provider) {
  Route route;
  LimitedModelClient::Options options;
  options.name = provider.uri_prefix;
  options.max_in_flight = max_in_flight_;
  options.max_queued = max_queued_;
  if (dependencies_.attempts_of) {
    options.on_attempt = dependencies_.attempts_of(provider.uri_prefix);
  }
  limits_.ApplyTo(&options);
  // Inside the retries: a call that waits for its next attempt takes no slot, and every attempt
  // tells the limits how the provider is doing.
  auto limited = std::make_unique<LimitedModelClient>(
      std::move(provider.client), options,
      LimitedModelClient::Dependencies{dependencies_.executor, dependencies_.timers,
                                       dependencies_.clock});
  route.limited = limited.get();
  auto retrying = std::make_unique<RetryingModelClient>(
      std::move(limited), policy_,
      RetryingModelClient::Dependencies{dependencies_.executor, dependencies_.timers,
                                        dependencies_.clock, dependencies_.random});
  route.retrying = retrying.get();
  auto circuit = std::make_unique<CircuitModelClient>(std::move(retrying), limits_.circuit,
                                                      dependencies_.executor, dependencies_.clock);
  route.circuit = circuit.get();
  provider.client = std::move(circuit);
  route.provider = std::move(provider);
  const std::string key = route.provider.key;
  routes_.emplace(key, std::move(route));
}

absl::StatusOr<const ModelRouter::Route*> ModelRouter::Find(std::string_view model_uri) const {
  ASSAY_ASSIGN_OR_RETURN(const ModelUri uri, ParseModelUri(model_uri));
  const auto found = routes_.find(RouteKeyOf(uri));
  if (found == routes_.end()) {
    if (uri.provider != "endpoints") return InvalidModelUri(model_uri, "is no model known here");
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED",
        StrCat("no endpoint of the name `", uri.endpoint,
               "` is configured; the judge service's --endpoint or ASSAY_ENDPOINTS adds one"),
        {{"model", model_uri}});
  }
  const Route& route = found->second;
  if (!route.provider.missing_credential.empty()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED",
                     StrCat("there is no key for ", model_uri, ": set ",
                            route.provider.missing_credential, " of the judge service"),
                     {{"model", model_uri}});
  }
  if (uri.model.empty() && route.provider.needs_model_in_uri) {
    return InvalidModelUri(model_uri, "names an endpoint that has no model of its own");
  }
  return &route;
}

absl::Status ModelRouter::Check(std::string_view model_uri) const {
  return Find(model_uri).status();
}

void ModelRouter::Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) {
  absl::StatusOr<const Route*> route = Find(request.model_uri);
  if (!route.ok()) {
    dependencies_.executor->Run([done = std::move(done), error = route.status()]() mutable {
      std::move(done)(std::move(error));
    });
    return;
  }
  (*route)->provider.client->Complete(std::move(request), std::move(context), std::move(done));
}

ModelTraits ModelRouter::Traits(std::string_view model_uri) const {
  const absl::StatusOr<const Route*> route = Find(model_uri);
  return route.ok() ? (*route)->provider.client->Traits(model_uri) : ModelTraits{};
}

ModelRouter::Target ModelRouter::TargetOf(std::string_view model_uri) const {
  const absl::StatusOr<const Route*> found = Find(model_uri);
  const absl::StatusOr<ModelUri> uri = ParseModelUri(model_uri);
  if (!found.ok() || !uri.ok()) return {};
  const ModelRoute& route = (*found)->provider;
  Target target;
  target.model = uri->model.empty() ? route.default_model : uri->model;
  if ((*found)->limited == nullptr) {
    target.provider = "offline";
    return target;
  }
  target.provider = route.key;
  target.identity = StrCat(route.key, "\n", route.identity, "\n", target.model);
  return target;
}

ModelRouter::ProviderStatus ModelRouter::StatusOf(const Route& route) {
  constexpr size_t kMostCircuits = 20;
  ProviderStatus status;
  status.uri_prefix = route.provider.uri_prefix;
  status.configured = route.provider.missing_credential.empty();
  if (route.limited != nullptr) status.limits = route.limited->Stats();
  if (route.circuit != nullptr) status.open_circuits = route.circuit->Open(kMostCircuits);
  return status;
}

std::vector<ModelRouter::ProviderStatus> ModelRouter::Providers() const {
  std::vector<ProviderStatus> providers;
  for (const auto& [key, route] : routes_) providers.push_back(StatusOf(route));
  return providers;
}

std::vector<std::string> ModelRouter::LimitedProviders() const {
  std::vector<std::string> prefixes;
  for (const auto& [key, route] : routes_) {
    if (route.limited != nullptr) prefixes.push_back(route.provider.uri_prefix);
  }
  return prefixes;
}

std::optional<ModelRouter::ProviderStatus> ModelRouter::StatusOf(
    std::string_view uri_prefix) const {
  for (const auto& [key, route] : routes_) {
    if (route.provider.uri_prefix == uri_prefix) return StatusOf(route);
  }
  return std::nullopt;
}

void ModelRouter::Shutdown() {
  for (auto& [key, route] : routes_) {
    if (route.retrying != nullptr) route.retrying->Shutdown();
    if (route.limited != nullptr) route.limited->Shutdown();
  }
}

}  // namespace assay::judge
