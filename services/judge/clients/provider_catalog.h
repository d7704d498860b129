// The providers as clients, out of the configuration.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CATALOG_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CATALOG_H_

#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "services/judge/clients/model_config.h"
#include "services/judge/clients/model_uri.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// One provider or endpoint. Its client makes one attempt a call and marks errors that another
// attempt may cure (attempt_error.h).
struct ModelRoute {
  std::string key;                 // As RouteKeyOf gives it for the URIs that go here.
  std::string uri_prefix;          // "openai:/", "endpoints:/local"; for people.
  std::string missing_credential;  // What must be set first, for people; "" if it can be used.
  bool needs_model_in_uri = true;
  std::string default_model;  // Asked where the URI names none; may be "".
  std::string identity;       // Tells which server answers: other servers, other cached answers.
  std::unique_ptr<ModelClient> client;
};

// All outlive the clients.
struct ProviderDependencies {
  http::HttpClient* http;
  Executor* executor;
  Clock* clock;
};

// "openai", "endpoints/local", "offline:/lexical".
std::string RouteKeyOf(const ModelUri& uri);

// A route for each provider in `config`, those without credentials too. The offline model is not
// among them.
std::vector<ModelRoute> MakeModelRoutes(const ModelConfig& config,
                                        const ProviderDependencies& dependencies);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CATALOG_H_
