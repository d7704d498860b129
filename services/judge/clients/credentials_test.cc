// Tokens and roles' keys, asked for over a fake network.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/clock/fake_clock.h"
#include "common/http/testing/fake_http_client.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/aws_roles.h"
#include "services/judge/clients/oauth_tokens.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kRoleJson[] =
    R"({"Code":"Success","AccessKeyId":"AKID","SecretAccessKey":"hush-key","Token":"hush-token",)"
    R"("Expiration":"2030-01-01T00:00:00Z"})";

class CredentialsTest : public testing::Test {
 protected:
  absl::StatusOr<Credential> Fetch(CredentialFetcher& fetcher) {
    std::optional<absl::StatusOr<Credential>> slot;
    fetcher.Fetch([&slot](absl::StatusOr<Credential> found) { slot.emplace(std::move(found)); });
    return *slot;
  }
  OAuthTokens OAuth(bool basic_auth = false) {
    return OAuthTokens({.provider = "azure:/",
                        .token_url = "https://login.test/token",
                        .client_id = "me",
                        .client_secret = std::make_shared<WatchedText>("hush&secret"),
                        .scope = "models/.default",
                        .basic_auth = basic_auth},
                       &http_, &clock_);
  }
  absl::StatusOr<Credential> FetchRole(AwsRole role) {
    const std::unique_ptr<CredentialFetcher> fetcher =
        MakeAwsRoleFetcher(std::move(role), "bedrock:/", "eu-west-1", &http_, &executor_, &clock_);
    return Fetch(*fetcher);
  }
  std::string Header(size_t request, const std::string& name) {
    const std::vector<http::HttpRequest> requests = http_.requests();
    const std::string* value = http::FindHeader(requests.at(request).headers, name);
    return value == nullptr ? "(none)" : *value;
  }

  InlineExecutor executor_;
  FakeClock clock_;
  http::FakeHttpClient http_{&executor_};
};

TEST_F(CredentialsTest, AsksForATokenWithAForm) {
  http_.Enqueue(200, R"({"access_token":"tok","expires_in":600})");
  OAuthTokens tokens = OAuth();
  ASSAY_ASSERT_OK_AND_ASSIGN(const Credential found, Fetch(tokens));
  EXPECT_EQ(found.token, "tok");
  EXPECT_EQ(found.expires, clock_.Now() + absl::Seconds(600));
  EXPECT_EQ(http_.requests()[0].body,
            "grant_type=client_credentials&scope=models%2F.default&client_id=me"
            "&client_secret=hush%26secret");
}

TEST_F(CredentialsTest, OrSaysWhoItIsInAHeader) {
  http_.Enqueue(200, R"({"access_token":"tok","expires_in":"3599"})");
  OAuthTokens tokens = OAuth(/*basic_auth=*/true);
  ASSAY_ASSERT_OK_AND_ASSIGN(const Credential found, Fetch(tokens));
  EXPECT_EQ(found.expires, clock_.Now() + absl::Seconds(3599));
  EXPECT_EQ(Header(0, "Authorization"), "Basic bWU6aHVzaCUyNnNlY3JldA==");
  EXPECT_THAT(http_.requests()[0].body, Not(HasSubstr("hush")));
}

TEST_F(CredentialsTest, RefusalsAreThePermanentErrorOfTheCallAndShowNoSecret) {
  http_.Enqueue(401, R"({"error":"invalid_client","error_description":"not hush&secret"})");
  OAuthTokens tokens = OAuth();
  const absl::Status refused = Fetch(tokens).status();
  EXPECT_THAT(refused, HasReason("MODEL_UNAUTHORIZED"));
  EXPECT_THAT(refused.ToString(), Not(HasSubstr("hush")));
  EXPECT_THAT(refused.ToString(), HasSubstr("its token endpoint"));
  EXPECT_FALSE(IsRetriable(refused));
}

TEST_F(CredentialsTest, AGiverThatIsAwayIsTriedAgain) {
  OAuthTokens tokens = OAuth();
  http_.Enqueue(503, "down");
  EXPECT_TRUE(IsRetriable(Fetch(tokens).status()));
  http_.Enqueue(200, "no json");
  EXPECT_TRUE(IsRetriable(Fetch(tokens).status()));
  http_.Enqueue(200, R"({"access_token":"two words"})");
  const absl::Status error = Fetch(tokens).status();
  EXPECT_TRUE(IsRetriable(error));
  EXPECT_THAT(error.ToString(), Not(HasSubstr("two words")));
}

TEST_F(CredentialsTest, AMachinesRoleIsAskedForByItsToken) {
  http_.Enqueue(200, "imds-token");
  http_.Enqueue(200, "judges\n");
  http_.Enqueue(200, kRoleJson);
  ASSAY_ASSERT_OK_AND_ASSIGN(const Credential found, FetchRole({.giver = AwsRole::Giver::kInstance,
                                                                .url = "http://169.254.169.254"}));
  EXPECT_EQ(found.aws->access_key_id, "AKID");
  EXPECT_EQ(found.aws->session_token, "hush-token");
  EXPECT_EQ(found.aws->region, "eu-west-1");
  EXPECT_EQ(found.expires, absl::FromUnixSeconds(1'893'456'000));
  ASSERT_THAT(http_.requests(), SizeIs(3));
  EXPECT_EQ(http_.requests()[0].method, "PUT");
  EXPECT_EQ(http_.requests()[2].url,
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/judges");
  EXPECT_EQ(Header(2, "X-aws-ec2-metadata-token"), "imds-token");
}

TEST_F(CredentialsTest, AMachineWithoutARoleSaysSo) {
  http_.Enqueue(200, "imds-token");
  http_.Enqueue(404, "none");
  const absl::Status error =
      FetchRole({.giver = AwsRole::Giver::kInstance, .url = "http://169.254.169.254"}).status();
  EXPECT_THAT(error, HasReason("MODEL_UNAUTHORIZED"));
  EXPECT_THAT(error.ToString(), HasSubstr("metadata service"));
}

TEST_F(CredentialsTest, AContainersAgentSeesItsToken) {
  http_.Enqueue(200, kRoleJson);
  ASSERT_OK(FetchRole({.giver = AwsRole::Giver::kContainer,
                       .url = "http://169.254.170.2/v2/credentials/x",
                       .token = "agent-token"}));
  EXPECT_EQ(Header(0, "Authorization"), "agent-token");
}

TEST_F(CredentialsTest, AWebIdentityIsExchangedAtSts) {
  const std::string path = testing::TempDir() + "/identity";
  FILE* file = fopen(path.c_str(), "w");
  fputs("jwt.of.me\n", file);
  fclose(file);
  http_.Enqueue(200,
                "<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>AKID</AccessKeyId>"
                "<SecretAccessKey>hush-key</SecretAccessKey><SessionToken>t</SessionToken>"
                "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"
                "</AssumeRoleWithWebIdentityResponse>");
  const AwsRole role = {.giver = AwsRole::Giver::kWebIdentity,
                        .url = "https://sts.eu-west-1.amazonaws.com",
                        .role_arn = "arn:aws:iam::1:role/judges",
                        .session_name = "assay",
                        .token_file = path};
  ASSAY_ASSERT_OK_AND_ASSIGN(const Credential found, FetchRole(role));
  EXPECT_EQ(found.aws->secret_access_key, "hush-key");
  EXPECT_THAT(http_.requests()[0].body,
              HasSubstr("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fjudges"));
  EXPECT_THAT(http_.requests()[0].body, HasSubstr("WebIdentityToken=jwt.of.me"));
  EXPECT_TRUE(http_.requests()[0].peer->public_addresses_only);
  http_.Enqueue(400, "<Error><Message>jwt.of.me has expired</Message></Error>");
  const absl::Status error = FetchRole(role).status();
  EXPECT_THAT(error, HasReason("MODEL_UNAUTHORIZED"));
  EXPECT_THAT(error.ToString(), Not(HasSubstr("jwt.of.me")));
}

TEST_F(CredentialsTest, AFileThatIsGoneIsSaidByItsName) {
  const absl::Status error = FetchRole({.giver = AwsRole::Giver::kWebIdentity,
                                        .url = "https://sts.test",
                                        .token_file = "/nowhere/identity"})
                                 .status();
  EXPECT_THAT(error, HasReason("MODEL_UNAUTHORIZED"));
  EXPECT_THAT(error.ToString(), HasSubstr("/nowhere/identity"));
}

}  // namespace
}  // namespace assay::judge
