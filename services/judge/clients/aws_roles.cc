#include "services/judge/clients/aws_roles.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/http/address_rules.h"
#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/key_source.h"
#include "services/judge/clients/oauth_tokens.h"
#include "services/judge/clients/wire_json.h"

namespace assay::judge {
namespace {

constexpr char kService[] = "bedrock";
constexpr char kMetadataTokenLife[] = "21600";
constexpr size_t kMaxAnswerBytes = 256 << 10;
constexpr char kRolePath[] = "/latest/meta-data/iam/security-credentials/";

// What stands in the first element of that name; "" if there is none.
std::string ElementText(std::string_view xml, std::string_view name) {
  const std::string open = StrCat("<", name, ">");
  const size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return "";
  const size_t end = xml.find(StrCat("</", name, ">"), begin);
  if (end == std::string_view::npos) return "";
  return std::string(xml.substr(begin + open.size(), end - begin - open.size()));
}

// Key, secret, session token and end. False if one is missing or no single word.
bool MakeCredential(const std::string& region, std::vector<std::string> texts,
                    Credential* credential) {
  for (std::string& text : texts) {
    absl::StatusOr<std::string> word = CheckKey(std::move(text), "the answer");
    if (!word.ok() || word->empty()) return false;
    text = *std::move(word);
  }
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, texts[3], &credential->expires, &error)) return false;
  credential->aws = std::make_shared<const http::AwsSigning>(
      http::AwsSigning{region, kService, texts[0], texts[1], texts[2]});
  return true;
}

class AwsRoleFetcher final : public CredentialFetcher {
 public:
  AwsRoleFetcher(AwsRole role, std::string provider, std::string region, http::HttpClient* http,
                 Executor* executor, Clock* clock)
      : role_(std::move(role)),
        peer_(std::make_shared<const http::PeerRules>(http::PeerRules{
            .public_addresses_only = !http::IsLiteralHost(http::HostOf(role_.url))})),
        provider_(std::move(provider)),
        region_(std::move(region)),
        http_(http),
        executor_(executor),
        clock_(clock) {}

  void Fetch(Done<Credential> done) override {
    switch (role_.giver) {
      case AwsRole::Giver::kWebIdentity:
        return AskSts(std::move(done));
      case AwsRole::Giver::kContainer:
        return AskContainer(std::move(done));
      default:
        return AskInstance(std::move(done));
    }
  }

 private:
  using Answer = absl::StatusOr<http::HttpResponse>;

  http::HttpRequest Request(std::string method, std::string url) const {
    return {.method = std::move(method),
            .url = std::move(url),
            .timeout = kCredentialTimeout / 3,
            .connect_timeout = absl::Seconds(2),
            .max_response_bytes = kMaxAnswerBytes,
            .peer = peer_};
  }

  absl::StatusOr<std::string> Token() const {
    if (role_.token_file.empty()) return role_.token;
    ASSAY_ASSIGN_OR_RETURN(std::string text, ReadSmallFile(role_.token_file));
    return CheckKey(std::move(text), StrCat("the file ", role_.token_file));
  }

  void Fail(absl::Status why, Done<Credential> done) {
    executor_->Run([why = std::move(why), done = std::move(done)]() mutable {
      std::move(done)(std::move(why));
    });
  }

  absl::Status ErrorOf(std::string_view giver, const Answer& answer,
                       const std::string& secret = "") const {
    return CredentialError(provider_, giver, answer, {secret}, clock_->Now());
  }

  void AskSts(Done<Credential> done) {
    absl::StatusOr<std::string> token = Token();
    if (!token.ok()) return Fail(Unreadable(token.status()), std::move(done));
    http::HttpRequest request = Request("POST", role_.url);
    request.timeout = kCredentialTimeout;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = StrCat("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=",
                          PercentEncoded(role_.role_arn),
                          "&RoleSessionName=", PercentEncoded(role_.session_name),
                          "&WebIdentityToken=", PercentEncoded(*token));
    http_->Send(std::move(request), {},
                [this, secret = *token, done = std::move(done)](Answer answer) mutable {
                  Credential credential;
                  if (answer.ok() && answer->status == 200) {
                    const std::string& xml = answer->body;
                    if (MakeCredential(
                            region_,
                            {ElementText(xml, "AccessKeyId"), ElementText(xml, "SecretAccessKey"),
                             ElementText(xml, "SessionToken"), ElementText(xml, "Expiration")},
                            &credential)) {
                      return std::move(done)(std::move(credential));
                    }
                  }
                  std::move(done)(ErrorOf("STS", answer, secret));
                });
  }

  void AskContainer(Done<Credential> done) {
    absl::StatusOr<std::string> token = Token();
    if (!token.ok()) return Fail(Unreadable(token.status()), std::move(done));
    http::HttpRequest request = Request("GET", role_.url);
    if (!token->empty()) request.headers = {{"Authorization", *token}};
    http_->Send(std::move(request), {}, Reader("the container's agent", *token, std::move(done)));
  }

  void AskInstance(Done<Credential> done) {
    http::HttpRequest request = Request("PUT", role_.url + "/latest/api/token");
    request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", kMetadataTokenLife}};
    http_->Send(std::move(request), {}, [this, done = std::move(done)](Answer answer) mutable {
      absl::StatusOr<std::string> token =
          CheckKey(answer.ok() && answer->status == 200 ? answer->body : "", "the answer");
      if (!token.ok() || token->empty()) {
        return std::move(done)(ErrorOf(kInstance, answer));
      }
      AskRole(*std::move(token), std::move(done));
    });
  }

  void AskRole(std::string token, Done<Credential> done) {
    http_->Send(
        Metadata("", token), {}, [this, token, done = std::move(done)](Answer answer) mutable {
          const std::string lines = answer.ok() && answer->status == 200 ? answer->body : "";
          absl::StatusOr<std::string> role =
              CheckKey(lines.substr(0, lines.find('\n')), "the answer");
          if (!role.ok() || role->empty() || role->find('/') != std::string::npos) {
            return std::move(done)(ErrorOf(kInstance, answer));
          }
          http_->Send(Metadata(PercentEncoded(*role), token), {},
                      Reader(kInstance, token, std::move(done)));
        });
  }

  http::HttpRequest Metadata(std::string_view role, const std::string& token) const {
    http::HttpRequest request = Request("GET", StrCat(role_.url, kRolePath, role));
    request.headers = {{"X-aws-ec2-metadata-token", token}};
    return request;
  }

  // Of the JSON that containers' agents and machines answer with.
  Done<http::HttpResponse> Reader(std::string_view giver, std::string secret,
                                  Done<Credential> done) {
    return
        [this, giver, secret = std::move(secret), done = std::move(done)](Answer answer) mutable {
          Credential credential;
          if (answer.ok() && answer->status == 200) {
            const absl::StatusOr<json::Node> root = json::ParseJson(answer->body);
            if (root.ok() &&
                MakeCredential(
                    region_,
                    {TextOf(root->Find("AccessKeyId")), TextOf(root->Find("SecretAccessKey")),
                     TextOf(root->Find("Token")), TextOf(root->Find("Expiration"))},
                    &credential)) {
              return std::move(done)(std::move(credential));
            }
          }
          std::move(done)(ErrorOf(giver, answer, secret));
        };
  }

  absl::Status Unreadable(const absl::Status& why) const {
    return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_UNAUTHORIZED",
                     StrCat(provider_, ": ", ToStd(why.message())));
  }

  static constexpr char kInstance[] = "the machine's metadata service";

  const AwsRole role_;
  // An address in digits is meant as it stands; any other name must be public.
  const std::shared_ptr<const http::PeerRules> peer_;
  const std::string provider_;
  const std::string region_;
  http::HttpClient* const http_;
  Executor* const executor_;
  Clock* const clock_;
};

}  // namespace

std::unique_ptr<CredentialFetcher> MakeAwsRoleFetcher(AwsRole role, std::string provider,
                                                      std::string region, http::HttpClient* http,
                                                      Executor* executor, Clock* clock) {
  return std::make_unique<AwsRoleFetcher>(std::move(role), std::move(provider), std::move(region),
                                          http, executor, clock);
}

}  // namespace assay::judge
