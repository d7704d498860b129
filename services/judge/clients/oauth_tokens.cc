#include "services/judge/clients/oauth_tokens.h"

#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/wire_json.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxAnswerBytes = 256 << 10;
constexpr absl::Duration kUsualLife = absl::Hours(1);
constexpr absl::Duration kLongestLife = absl::Hours(24);

// Some send the number as a text.
absl::Duration LifeIn(const json::Node& answer) {
  const json::Node* expires = answer.Find("expires_in");
  if (expires == nullptr) return kUsualLife;
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(expires->text, &seconds) || seconds <= 0) return kUsualLife;
  return std::min(absl::Seconds(seconds), kLongestLife);
}

}  // namespace

absl::Status CredentialError(std::string_view provider, std::string_view giver,
                             const absl::StatusOr<http::HttpResponse>& answer,
                             const std::vector<std::string>& secrets, absl::Time now) {
  const std::string who = StrCat(provider, ": ", giver);
  if (!answer.ok()) return TransportError(who, answer.status());
  if (answer->status >= 200 && answer->status <= 299) {
    return UnreadableAnswer(who, "no credentials");
  }
  const absl::Status error = AnswerError(who, secrets, *answer, now);
  if (IsRetriable(error)) return error;
  return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_UNAUTHORIZED",
                   ToStd(error.message()));
}

void OAuthTokens::Fetch(Done<Credential> done) {
  const std::string secret = options_.client_secret->Get();
  std::string body = "grant_type=client_credentials";
  if (!options_.scope.empty()) StrAppend(&body, "&scope=", PercentEncoded(options_.scope));
  http::HttpRequest request = {.method = "POST",
                               .url = options_.token_url,
                               .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                                           {"Accept", "application/json"}},
                               .timeout = kCredentialTimeout,
                               .max_response_bytes = kMaxAnswerBytes,
                               .peer = options_.peer};
  std::vector<std::string> secrets = {secret, PercentEncoded(secret)};
  if (options_.basic_auth) {
    const std::string pair =
        absl::Base64Escape(StrCat(PercentEncoded(options_.client_id), ":", PercentEncoded(secret)));
    request.headers.push_back({"Authorization", StrCat("Basic ", pair)});
    secrets.push_back(pair);
  } else {
    StrAppend(&body, "&client_id=", PercentEncoded(options_.client_id),
              "&client_secret=", PercentEncoded(secret));
  }
  request.body = std::move(body);
  http_->Send(
      std::move(request), {},
      [provider = options_.provider, clock = clock_, secrets = std::move(secrets),
       done = std::move(done)](absl::StatusOr<http::HttpResponse> answer) mutable {
        const absl::Time now = clock->Now();
        if (answer.ok() && answer->status == 200) {
          const absl::StatusOr<json::Node> root = json::ParseJson(answer->body);
          absl::StatusOr<std::string> token =
              CheckKey(root.ok() ? TextOf(root->Find("access_token")) : "", "the answer");
          if (token.ok() && !token->empty()) {
            return std::move(done)(Credential{*std::move(token), nullptr, now + LifeIn(*root)});
          }
        }
        std::move(done)(CredentialError(provider, "its token endpoint", answer, secrets, now));
      });
}

}  // namespace assay::judge
