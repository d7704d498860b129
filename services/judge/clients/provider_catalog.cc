#include "services/judge/clients/provider_catalog.h"

#include <utility>

#include "common/strings/strings.h"
#include "services/judge/clients/anthropic_client.h"
#include "services/judge/clients/openai_client.h"

namespace assay::judge {
namespace {

std::unique_ptr<ModelClient> MakeClient(const ProviderConfig& provider, absl::Duration timeout,
                                        const ProviderDependencies& dependencies) {
  ProviderOptions options = {.uri_prefix = UriPrefixOf(provider),
                             .base_url = provider.base_url,
                             .api_key = provider.api_key,
                             .default_model = provider.model,
                             .timeout = timeout};
  if (provider.dialect == Dialect::kAnthropic) {
    return std::make_unique<AnthropicClient>(
        std::move(options), AnthropicClient::Dependencies{dependencies.http, dependencies.executor,
                                                          dependencies.clock});
  }
  options.max_completion_tokens = provider.base_url.starts_with("https://api.openai.com");
  return std::make_unique<OpenAiClient>(
      std::move(options),
      OpenAiClient::Dependencies{dependencies.http, dependencies.executor, dependencies.clock});
}

}  // namespace

std::string RouteKeyOf(const ModelUri& uri) {
  if (uri.provider == "endpoints") return StrCat("endpoints/", uri.endpoint);
  if (uri.provider == "offline") return StrCat("offline:/", uri.model);
  return uri.provider;
}

std::vector<ModelRoute> MakeModelRoutes(const ModelConfig& config,
                                        const ProviderDependencies& dependencies) {
  std::vector<ModelRoute> routes;
  for (const ProviderConfig& provider : config.providers) {
    routes.push_back(
        {.key = provider.is_endpoint ? StrCat("endpoints/", provider.name) : provider.name,
         .uri_prefix = UriPrefixOf(provider),
         .missing_credential = provider.missing,
         .needs_model_in_uri = provider.model.empty(),
         .client = MakeClient(provider, config.timeout, dependencies)});
  }
  return routes;
}

}  // namespace assay::judge
