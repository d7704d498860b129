#include "services/judge/clients/model_router.h"

#include <random>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/anthropic_client.h"
#include "services/judge/clients/model_uri.h"
#include "services/judge/clients/openai_client.h"

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

ProviderOptions OptionsFor(const std::string& uri_prefix, const ProviderConfig& provider,
                           absl::Duration timeout) {
  return {.uri_prefix = uri_prefix,
          .base_url = provider.base_url,
          .api_key = provider.api_key,
          .timeout = timeout};
}

std::string RouteKey(const ModelUri& uri) {
  if (uri.provider == "endpoints") return StrCat("endpoints/", uri.endpoint);
  if (uri.provider == "offline") return StrCat("offline:/", uri.model);
  return uri.provider;
}

std::string MissingKey(const ProviderConfig& provider) {
  return provider.api_key.empty() ? provider.key_origin : "";
}

}  // namespace

ModelRouter::ModelRouter(const ModelConfig& config, const Dependencies& dependencies,
                         std::unique_ptr<ModelClient> offline, RetryPolicy policy)
    : dependencies_(WithRandom(dependencies)),
      default_model_(config.default_model),
      policy_(WithAttempts(policy, config.attempts)),
      max_in_flight_(static_cast<size_t>(config.max_in_flight)),
      max_queued_(static_cast<size_t>(config.max_queued)) {
  const OpenAiClient::Dependencies openai = {dependencies_.http, dependencies_.executor,
                                             dependencies_.clock};
  const AnthropicClient::Dependencies anthropic = {dependencies_.http, dependencies_.executor,
                                                   dependencies_.clock};
  AddRoute("anthropic", {.uri_prefix = "anthropic:/", .missing_key = MissingKey(config.anthropic)},
           std::make_unique<AnthropicClient>(
               OptionsFor("anthropic:/", config.anthropic, config.timeout), anthropic));
  ProviderOptions options = OptionsFor("openai:/", config.openai, config.timeout);
  options.max_completion_tokens = config.openai.base_url.starts_with("https://api.openai.com");
  AddRoute("openai", {.uri_prefix = "openai:/", .missing_key = MissingKey(config.openai)},
           std::make_unique<OpenAiClient>(std::move(options), openai));
  for (const EndpointConfig& endpoint : config.endpoints) {
    const std::string prefix = StrCat("endpoints:/", endpoint.name);
    options = OptionsFor(prefix, endpoint.provider, config.timeout);
    options.default_model = endpoint.model;
    AddRoute(StrCat("endpoints/", endpoint.name),
             {.uri_prefix = prefix,
              .missing_key = endpoint.needs_key ? MissingKey(endpoint.provider) : "",
              .needs_model_in_uri = endpoint.model.empty()},
             std::make_unique<OpenAiClient>(std::move(options), openai));
  }
  if (offline != nullptr) {
    Route route = {.uri_prefix = std::string(kOfflineModel)};
    route.client = std::move(offline);
    routes_.emplace(kOfflineModel, std::move(route));
  }
}

ModelRouter::~ModelRouter() { Shutdown(); }

void ModelRouter::AddRoute(const std::string& key, Route route,
                           std::unique_ptr<ModelClient> provider) {
  auto retrying = std::make_unique<RetryingModelClient>(
      std::move(provider), policy_,
      RetryingModelClient::Dependencies{dependencies_.executor, dependencies_.timers,
                                        dependencies_.clock, dependencies_.random});
  route.retrying = retrying.get();
  // The bound is outside: a provider that is failing is not asked more while its calls wait to be
  // repeated.
  auto limited = std::make_unique<LimitedModelClient>(
      std::move(retrying),
      LimitedModelClient::Options{route.uri_prefix, max_in_flight_, max_queued_},
      dependencies_.executor, dependencies_.timers);
  route.limited = limited.get();
  route.client = std::move(limited);
  routes_.emplace(key, std::move(route));
}

absl::StatusOr<const ModelRouter::Route*> ModelRouter::Find(std::string_view model_uri) const {
  ASSAY_ASSIGN_OR_RETURN(const ModelUri uri, ParseModelUri(model_uri));
  const auto found = routes_.find(RouteKey(uri));
  if (found == routes_.end()) {
    if (uri.provider != "endpoints") return InvalidModelUri(model_uri, "is no model known here");
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED",
        StrCat("no endpoint of the name `", uri.endpoint,
               "` is configured; the judge service's --endpoint or ASSAY_ENDPOINTS adds one"),
        {{"model", model_uri}});
  }
  const Route& route = found->second;
  if (!route.missing_key.empty()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED",
                     StrCat("there is no key for ", model_uri, ": set ", route.missing_key,
                            " of the judge service"),
                     {{"model", model_uri}});
  }
  if (uri.model.empty() && route.needs_model_in_uri) {
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
  (*route)->client->Complete(std::move(request), std::move(context), std::move(done));
}

std::vector<ModelRouter::ProviderStatus> ModelRouter::Providers() const {
  std::vector<ProviderStatus> providers;
  for (const auto& [key, route] : routes_) {
    providers.push_back({route.uri_prefix, route.missing_key.empty()});
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
