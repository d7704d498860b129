// How one provider, or one endpoint, is called.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_OPTIONS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_OPTIONS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace assay::judge {

struct ProviderOptions {
  std::string uri_prefix;     // "openai:/", "endpoints:/local"; names the provider in errors.
  std::string base_url;       // Without a slash at the end.
  std::string api_key;        // "" if none is sent. Never shown.
  std::string default_model;  // Where the URI is the prefix alone.
  absl::Duration timeout = absl::Seconds(120);  // Of one attempt.
  size_t max_response_bytes = size_t{8} << 20;
  // OpenAI's own models refuse max_tokens; other servers know nothing else.
  bool max_completion_tokens = false;
};

// The provider's own name of the model that `uri` means: what follows the prefix, or the default.
inline std::string ModelNameFor(const ProviderOptions& options, std::string_view uri) {
  if (uri.starts_with(options.uri_prefix)) uri.remove_prefix(options.uri_prefix.size());
  while (uri.starts_with('/')) uri.remove_prefix(1);
  return std::string(uri.empty() ? std::string_view(options.default_model) : uri);
}

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_OPTIONS_H_
