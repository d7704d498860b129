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
                         std::unique_ptr<ModelClient> offline, RetryPolicy policy)
    : dependencies_(WithRandom(dependencies)),
      default_model_(config.default_model),
      policy_(WithAttempts(policy, config.attempts)),
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
  auto retrying = std::make_unique<RetryingModelClient>(
      std::move(provider.client), policy_,
      RetryingModelClient::Dependencies{dependencies_.executor, dependencies_.timers,
                                        dependencies_.clock, dependencies_.random});
  route.retrying = retrying.get();
  // The bound is outside: a provider that is failing is not asked more while its calls wait to be
  // repeated.
  auto limited = std::make_unique<LimitedModelClient>(
      std::move(retrying),
      LimitedModelClient::Options{provider.uri_prefix, max_in_flight_, max_queued_},
      dependencies_.executor, dependencies_.timers);
  route.limited = limited.get();
  provider.client = std::move(limited);
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

std::vector<ModelRouter::ProviderStatus> ModelRouter::Providers() const {
  std::vector<ProviderStatus> providers;
  for (const auto& [key, route] : routes_) {
    providers.push_back({route.provider.uri_prefix, route.provider.missing_credential.empty()});
  }
  return providers;
}

void ModelRouter::Shutdown() {
  for (auto& [key, route] : routes_) {
    if (route.retrying != nullptr) route.retrying->Shutdown();
    if (route.limited != nullptr) route.limited->Shutdown();
  }
}

}  // namespace assay::judge
