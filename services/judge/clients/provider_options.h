// How one provider, or one endpoint, is called.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_OPTIONS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/http/http_client.h"
#include "services/judge/clients/key_source.h"
#include "services/judge/clients/token_source.h"

namespace assay::judge {

struct ProviderOptions {
  std::string uri_prefix;     // "openai:/", "endpoints:/local"; names the provider in errors.
  std::string base_url;       // Without a slash at the end.
  std::string default_model;  // Where the URI is the prefix alone.
  absl::Duration timeout = absl::Seconds(120);  // Of one attempt.
  size_t max_response_bytes = size_t{8} << 20;
  bool schema_with_tools = false;  // Whether its models take a schema and tools in one question.
  int64_t max_input_tokens = 0;    // Of each of its models; 0: by the model's name.

  std::shared_ptr<WatchedText> key;       // Null if none is sent. Never shown.
  std::shared_ptr<WatchedText> aws_file;  // Amazon's credentials; null: `aws` as it is.
  std::string aws_profile;
  std::shared_ptr<const http::AwsSigning> aws;  // Null if requests are not signed. Never shown.
  std::shared_ptr<TokenSource> tokens;          // Null if credentials need not be asked for.
  std::vector<http::HttpHeader> headers;        // Sent too. Values are never shown.
  std::shared_ptr<const http::PeerRules> peer;
};

// The provider's own name of the model that `uri` means: what follows the prefix, or the default.
inline std::string ModelNameFor(const ProviderOptions& options, std::string_view uri) {
  if (uri.starts_with(options.uri_prefix)) uri.remove_prefix(options.uri_prefix.size());
  while (uri.starts_with('/')) uri.remove_prefix(1);
  return std::string(uri.empty() ? std::string_view(options.default_model) : uri);
}

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_OPTIONS_H_
