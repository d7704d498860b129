// How one provider or endpoint is reached, and with what credentials.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CONFIG_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/http/http_client.h"
#include "services/judge/clients/aws_roles.h"
#include "services/judge/clients/provider_presets.h"

namespace assay::judge {

// Amazon's credentials. Secrets are never shown to anyone.
struct AwsConfig {
  std::string region;
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;     // "" if there is none.
  std::string credentials_file;  // Where they came from, read again when it changes; "": elsewhere.
  std::string profile;           // In that file.
  AwsRole role;                  // Whose keys are asked for, where none are given.
};

// Client credentials of OAuth 2.0, for which a token is asked for.
struct OAuthConfig {
  std::string client_id;           // "": there are none.
  std::string client_secret;       // Never shown to anyone.
  std::string client_secret_file;  // Where it came from, read again when it changes; "": elsewhere.
  std::string token_url;
  std::string scope;        // "" if none is asked for.
  bool basic_auth = false;  // The client says who it is in a header, not in the form.
};

struct ProviderConfig {
  std::string name;          // Before ":/" in URIs; of an endpoint, what follows "endpoints:/".
  bool is_endpoint = false;  // A server of the operator's, under a name of theirs.
  Dialect dialect = Dialect::kOpenAi;
  std::string base_url;  // Without a slash at the end; "" if it was not given.
  std::string model;     // Used where the URI names none; may be "". Endpoints only.

  bool needs_key = true;
  std::string api_key;       // "" if there is none. Never shown to anyone.
  std::string api_key_file;  // Where it came from, read again when it changes; "": elsewhere.
  std::string missing;       // What must be set before it can be used, for people; "": nothing.
  OAuthConfig oauth;         // In a key's place.
  AwsConfig aws;             // Of kBedrock.
  std::string api_version;   // Of kAzure.

  bool schema_with_tools = false;  // Whether one question may have a schema and tools.
  int64_t max_input_tokens = 0;    // What its models take; 0: by the model's name.

  std::vector<http::HttpHeader> headers;  // Sent with each request; their values may be secrets.
  std::string ca_file;                    // PEM; "": the system's.
  std::string proxy;                      // URL of an HTTP proxy; "": as the environment says.
  bool private_addresses = false;         // Whether it may stand at a private address.
};

// "openai:/", "endpoints:/local".
inline std::string UriPrefixOf(const ProviderConfig& provider) {
  return provider.is_endpoint ? "endpoints:/" + provider.name : provider.name + ":/";
}

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_CONFIG_H_
