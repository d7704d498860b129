// Tokens by OAuth 2.0's client credentials.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_OAUTH_TOKENS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_OAUTH_TOKENS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/http/http_client.h"
#include "services/judge/clients/key_source.h"
#include "services/judge/clients/token_source.h"

namespace assay::judge {

// Asks a token endpoint. Thread-safe.
class OAuthTokens final : public CredentialFetcher {
 public:
  struct Options {
    std::string provider;  // "databricks:/", for errors.
    std::string token_url;
    std::string client_id;
    std::shared_ptr<WatchedText> client_secret;
    std::string scope;        // "" if none is asked for.
    bool basic_auth = false;  // The client says who it is in a header, not in the form.
    std::shared_ptr<const http::PeerRules> peer;
  };

  // HTTP client and clock outlive it and its calls.
  OAuthTokens(Options options, http::HttpClient* http, Clock* clock)
      : options_(std::move(options)), http_(http), clock_(clock) {}

  void Fetch(Done<Credential> done) override;

 private:
  const Options options_;
  http::HttpClient* const http_;
  Clock* const clock_;
};

// The error of a model call for one that a credential's giver has answered with. `secrets` are
// never shown.
absl::Status CredentialError(std::string_view provider, std::string_view giver,
                             const absl::StatusOr<http::HttpResponse>& answer,
                             const std::vector<std::string>& secrets, absl::Time now);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_OAUTH_TOKENS_H_
