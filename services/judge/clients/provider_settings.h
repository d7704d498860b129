// What an operator says of one provider or endpoint, as text.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_SETTINGS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_SETTINGS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/flags.h"
#include "services/judge/clients/provider_config.h"

namespace assay::judge {

// One `name=...,url=...` with its fields. `header` and `header_env` may come several times.
using ProviderFields = std::multimap<std::string, std::string>;

// The fields that both flags know.
inline constexpr std::string_view kEndpointForm =
    "name=<name>,url=<http://host:port/v1>[,model=<model>][,dialect=<dialect>]"
    "[,api_key_env=<VARIABLE>|,api_key_file=<path>][,header=<Name: value>]"
    "[,header_env=<Name: VARIABLE>][,ca_file=<path>][,proxy=<http://host:port>][,private=true]"
    "[,schema_with_tools=<true|false>][,max_input_tokens=<number>]"
    "[,client_id=<id>,client_secret_env=<VARIABLE>|,client_secret_file=<path>,token_url=<https://"
    "...>"
    "[,token_scope=<scope>]]";
inline constexpr std::string_view kProviderForm =
    "name=<provider>[,url=<https://host>][,api_key_env=<VARIABLE>|,api_key_file=<path>]"
    "[,header=<Name: value>][,header_env=<Name: VARIABLE>][,ca_file=<path>]"
    "[,proxy=<http://host:port>][,private=true]"
    "[,schema_with_tools=<true|false>][,max_input_tokens=<number>]"
    "[,client_id=<id>,client_secret_env=<VARIABLE>|,client_secret_file=<path>][,token_url=<https://"
    "...>]"
    "[,token_scope=<scope>]";

// INVALID_ARGUMENT, reason INVALID_FLAG, for the flag of that name.
absl::Status InvalidFlag(std::string_view flag, std::string_view what);

// Cuts texts into entries. A field that begins with name= begins an entry, so that it does not
// matter whether commas were taken as separators of a list before. `form` is told in errors.
absl::StatusOr<std::vector<ProviderFields>> SplitProviderEntries(
    const std::vector<std::string>& texts, std::string_view flag, std::string_view form);

// The value of a field; "" if it is not there.
std::string FieldOf(const ProviderFields& fields, const std::string& name);

// `url` without slashes at its end, if it is http(s) and holds no user, query or fragment.
absl::StatusOr<std::string> CheckBaseUrl(std::string url, std::string_view flag);

// Takes the fields but name, url and model into `provider`: key, headers, files, proxy,
// addresses, and what its models can do.
// Errors never hold a key, nor a header's value.
absl::Status ApplyProviderFields(const ProviderFields& fields, std::string_view flag,
                                 const config::EnvLookup& env, ProviderConfig* provider);

// A key from `file`, or from the first of `variables` that is set; sets missing if there is none.
absl::Status ResolveKey(const std::string& file, const std::vector<std::string>& variables,
                        const std::string& flag, const config::EnvLookup& env,
                        ProviderConfig* provider);

// Takes client credentials into `provider`, in a key's place, if there is a secret.
absl::Status ReadClientSecret(const std::string& client_id, const std::string& variable,
                              const std::string& file, std::string_view flag,
                              const config::EnvLookup& env, ProviderConfig* provider);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_SETTINGS_H_
