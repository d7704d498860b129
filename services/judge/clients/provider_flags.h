// Flags and environment that say which providers there are.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_FLAGS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_FLAGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/flags.h"
#include "services/judge/clients/provider_config.h"

namespace assay::judge {

// As they come from the command line.
struct ProviderFlags {
  struct Named {
    std::string base_url;  // "": the usual one.
    std::string api_key_file;
  };
  std::map<std::string, Named> named;  // By the provider's name in URIs.
  std::string azure_api_version = "2024-10-21";
  std::string bedrock_region;
  std::string bedrock_credentials_file;
  bool bedrock_instance_role = false;
  std::vector<std::string> endpoint;
  std::vector<std::string> provider;
  bool allow_private_endpoints = false;
};

// Adds them, with their help. `values` outlives `flags`.
void AddProviderFlags(config::FlagSet& flags, ProviderFlags* values);

// All providers that are known by name, in the order of their names, then the endpoints. What lacks
// a credential is there too, with `missing` saying what to set. Errors: INVALID_ARGUMENT, reason
// INVALID_FLAG; they never hold a key.
absl::StatusOr<std::vector<ProviderConfig>> ResolveProviders(const ProviderFlags& flags,
                                                             const config::EnvLookup& env);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_FLAGS_H_
