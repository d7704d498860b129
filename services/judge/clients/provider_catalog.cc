#include "services/judge/clients/provider_catalog.h"

#include <utility>

#include "common/http/address_rules.h"
#include "common/strings/strings.h"
#include "services/judge/clients/anthropic_wire.h"
#include "services/judge/clients/bedrock_wire.h"
#include "services/judge/clients/gemini_wire.h"
#include "services/judge/clients/key_source.h"
#include "services/judge/clients/oauth_tokens.h"
#include "services/judge/clients/openai_wire.h"
#include "services/judge/clients/provider_client.h"

namespace assay::judge {
namespace {

constexpr char kBedrockService[] = "bedrock";

std::unique_ptr<ProviderWire> MakeWire(const ProviderConfig& provider) {
  const std::string prefix = UriPrefixOf(provider);
  switch (provider.dialect) {
    case Dialect::kAnthropic:
      return std::make_unique<AnthropicWire>(prefix);
    case Dialect::kGemini:
      return std::make_unique<GeminiWire>(prefix);
    case Dialect::kBedrock:
      return std::make_unique<BedrockWire>(prefix);
    case Dialect::kAzure:
      return std::make_unique<OpenAiWire>(OpenAiWire::Options{.uri_prefix = prefix,
                                                              .place = OpenAiWire::Place::kAzure,
                                                              .api_version = provider.api_version});
    case Dialect::kDatabricks:
      return std::make_unique<OpenAiWire>(
          OpenAiWire::Options{.uri_prefix = prefix, .place = OpenAiWire::Place::kDatabricks});
    case Dialect::kOpenAi:
      break;
  }
  return std::make_unique<OpenAiWire>(OpenAiWire::Options{
      .uri_prefix = prefix,
      .max_completion_tokens = provider.base_url.starts_with("https://api.openai.com")});
}

// Of a secret that stands in a file, perhaps.
std::shared_ptr<WatchedText> Watched(const std::string& text, const std::string& file,
                                     Clock* clock) {
  if (file.empty()) return std::make_shared<WatchedText>(text);
  return std::make_shared<WatchedText>(
      text, file,
      [](const std::string& changed) {
        const absl::StatusOr<std::string> key = CheckKey(changed, "");
        return key.ok() && !key->empty();
      },
      clock);
}

std::shared_ptr<TokenSource> TokensOf(const ProviderConfig& provider,
                                      const ProviderDependencies& dependencies) {
  std::unique_ptr<CredentialFetcher> fetcher;
  const OAuthConfig& oauth = provider.oauth;
  if (provider.aws.role.giver != AwsRole::Giver::kNone) {
    fetcher = MakeAwsRoleFetcher(provider.aws.role, UriPrefixOf(provider), provider.aws.region,
                                 dependencies.http, dependencies.executor, dependencies.clock);
  } else if (!oauth.client_id.empty()) {
    const bool anywhere =
        provider.private_addresses || http::IsLiteralHost(http::HostOf(oauth.token_url));
    fetcher = std::make_unique<OAuthTokens>(
        OAuthTokens::Options{.provider = UriPrefixOf(provider),
                             .token_url = oauth.token_url,
                             .client_id = oauth.client_id,
                             .client_secret = Watched(oauth.client_secret, oauth.client_secret_file,
                                                      dependencies.clock),
                             .scope = oauth.scope,
                             .basic_auth = oauth.basic_auth,
                             .peer = std::make_shared<const http::PeerRules>(
                                 http::PeerRules{.ca_file = provider.ca_file,
                                                 .proxy = provider.proxy,
                                                 .public_addresses_only = !anywhere})},
        dependencies.http, dependencies.clock);
  }
  if (fetcher == nullptr) return nullptr;
  return std::make_shared<TokenSource>(std::move(fetcher), dependencies.executor,
                                       dependencies.clock);
}

void AddKeys(const ProviderConfig& provider, const ProviderDependencies& dependencies,
             ProviderOptions* options) {
  Clock* const clock = dependencies.clock;
  options->tokens = TokensOf(provider, dependencies);
  if (options->tokens != nullptr) return;
  if (provider.dialect == Dialect::kBedrock && provider.api_key.empty()) {
    const AwsConfig& aws = provider.aws;
    options->aws = std::make_shared<const http::AwsSigning>(http::AwsSigning{
        aws.region, kBedrockService, aws.access_key_id, aws.secret_access_key, aws.session_token});
    if (aws.credentials_file.empty()) return;
    options->aws_profile = aws.profile;
    options->aws_file = std::make_shared<WatchedText>(
        "", aws.credentials_file,
        [profile = aws.profile](const std::string& text) {
          return ParseAwsCredentials(text, profile).has_value();
        },
        clock);
  } else if (!provider.api_key.empty()) {
    options->key = Watched(provider.api_key, provider.api_key_file, clock);
  }
}

std::unique_ptr<ModelClient> MakeClient(const ProviderConfig& provider, const ModelConfig& config,
                                        const ProviderDependencies& dependencies) {
  ProviderOptions options = {.uri_prefix = UriPrefixOf(provider),
                             .base_url = provider.base_url,
                             .default_model = provider.model,
                             .timeout = config.timeout,
                             .max_response_bytes = config.max_response_bytes,
                             .schema_with_tools = provider.schema_with_tools,
                             .max_input_tokens = provider.max_input_tokens,
                             .headers = provider.headers};
  options.peer = std::make_shared<const http::PeerRules>(
      http::PeerRules{.ca_file = provider.ca_file,
                      .proxy = provider.proxy,
                      .public_addresses_only = !provider.private_addresses});
  AddKeys(provider, dependencies, &options);
  return std::make_unique<ProviderClient>(
      std::move(options), MakeWire(provider),
      ProviderClient::Dependencies{dependencies.http, dependencies.executor, dependencies.clock});
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
         .default_model = provider.model,
         .identity =
             StrCat(provider.base_url, "\n", provider.api_version, "\n", provider.aws.region),
         .client = MakeClient(provider, config, dependencies)});
  }
  return routes;
}

}  // namespace assay::judge
