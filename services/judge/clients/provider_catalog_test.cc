#include "services/judge/clients/provider_catalog.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/exec/executor.h"
#include "common/http/curl_http_client.h"
#include "common/http/testing/loopback_server.h"
#include "common/status/status_macros.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGood[] = R"({"model":"m","choices":[{"message":{"content":"hi"}}]})";

// The providers as they are configured, over real connections.
class ProviderCatalogTest : public testing::Test {
 protected:
  ProviderCatalogTest() {
    auto http = http::CurlHttpClient::Create(&executor_);
    EXPECT_OK(http);
    http_ = *std::move(http);
  }

  void Configure(const ProviderFlags& flags, std::map<std::string, std::string> variables = {},
                 size_t max_response_bytes = size_t{1} << 20) {
    auto providers = ResolveProviders(flags, [&](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    });
    ASSERT_OK(providers);
    ModelConfig config;
    config.providers = *std::move(providers);
    config.timeout = absl::Seconds(60);
    config.max_response_bytes = max_response_bytes;
    routes_ = MakeModelRoutes(config, {http_.get(), &executor_, &SystemClock()});
  }

  absl::StatusOr<ModelResponse> Ask(const std::string& uri) {
    ASSAY_ASSIGN_OR_RETURN(const ModelUri parsed, ParseModelUri(uri));
    for (ModelRoute& route : routes_) {
      if (route.key != RouteKeyOf(parsed)) continue;
      Notification answered;
      absl::StatusOr<ModelResponse> answer = absl::InternalError("no answer came");
      route.client->Complete({.model_uri = uri, .messages = {{ChatRole::kUser, "hi"}}}, {},
                             [&](absl::StatusOr<ModelResponse> got) {
                               answer = std::move(got);
                               answered.Notify();
                             });
      answered.WaitFor(absl::Seconds(60));
      return answer;
    }
    return absl::NotFoundError(uri);
  }

  http::LoopbackServer::Reply Answer(const std::string& request) {
    MutexLock lock(&mutex_);
    seen_ = request;
    return reply_.has_value() ? *reply_ : http::LoopbackServer::Answer(200, kGood);
  }
  std::string Seen() {
    MutexLock lock(&mutex_);
    return seen_;
  }

  Mutex mutex_;
  std::string seen_;
  std::optional<http::LoopbackServer::Reply> reply_;
  http::LoopbackServer server_{[this](const std::string& request) { return Answer(request); }};
  ThreadPool executor_{"test", 2};
  std::unique_ptr<http::CurlHttpClient> http_;
  std::vector<ModelRoute> routes_;
};

TEST_F(ProviderCatalogTest, EveryPresetHasARoute) {
  Configure({});
  EXPECT_EQ(routes_.size(), ProviderPresets().size());
  for (const ModelRoute& route : routes_) {
    EXPECT_NE(route.client, nullptr) << route.key;
    EXPECT_TRUE(route.client->Traits(route.uri_prefix + "m").tools) << route.key;
    EXPECT_EQ(route.missing_credential.empty(), route.key == "ollama") << route.key;
  }
}

TEST_F(ProviderCatalogTest, AzureIsAskedByDeploymentAndKey) {
  ProviderFlags flags;
  flags.named["azure"].base_url = server_.Url("");
  Configure(flags, {{"AZURE_OPENAI_API_KEY", "hush-azure"}});
  ASSERT_OK(Ask("azure:/mine"));
  EXPECT_THAT(Seen(), HasSubstr("POST /openai/deployments/mine/chat/completions"
                                "?api-version=2024-10-21 HTTP/1.1"));
  EXPECT_THAT(Seen(), HasSubstr("api-key: hush-azure"));
}

TEST_F(ProviderCatalogTest, BedrockIsSignedOverTheEncodedPath) {
  ProviderFlags flags;
  flags.bedrock_region = "eu-west-1";
  flags.provider = {"name=bedrock,url=" + server_.Url("")};
  Configure(flags, {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hush-aws"}});
  reply_ = http::LoopbackServer::Answer(
      200, R"({"output":{"message":{"content":[{"text":"hi"}]}},"stopReason":"end_turn"})");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, Ask("bedrock:/m-v1:0"));
  EXPECT_EQ(response.text, "hi");
  EXPECT_THAT(Seen(), HasSubstr("POST /model/m-v1%3A0/converse HTTP/1.1"));
  EXPECT_THAT(Seen(), HasSubstr("/eu-west-1/bedrock/aws4_request"));
  EXPECT_THAT(Seen(), Not(HasSubstr("hush")));
}

TEST_F(ProviderCatalogTest, NamesAtPrivateAddressesAreRefusedUnlessMeant) {
  // This machine's own name; localhost itself would be taken at its word.
  std::string url = server_.Url("/v1");
  url.replace(url.find("127.0.0.1"), 9, "localhost");
  ProviderFlags flags;
  flags.endpoint = {"name=a,url=" + url + ",model=m"};
  Configure(flags);
  EXPECT_OK(Ask("endpoints:/a"));
  ModelConfig config;
  config.timeout = absl::Seconds(60);
  config.providers = {{.name = "a", .is_endpoint = true, .base_url = url, .model = "m"}};
  routes_ = MakeModelRoutes(config, {http_.get(), &executor_, &SystemClock()});
  const absl::Status refused = Ask("endpoints:/a").status();
  EXPECT_THAT(refused, HasReason("MODEL_NOT_CONFIGURED"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("private=true")));
}

TEST_F(ProviderCatalogTest, AnEndlessAnswerIsCutOff) {
  ProviderFlags flags;
  flags.endpoint = {"name=a,url=" + server_.Url("/v1") + ",model=m"};
  Configure(flags, {}, 64 * 1024);
  http::LoopbackServer::Reply endless;
  endless.bytes = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
  endless.endless = true;
  reply_ = endless;
  const absl::Status error = Ask("endpoints:/a").status();
  EXPECT_THAT(error, HasReason("MODEL_ANSWER_TOO_LARGE"));
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("65536")));
}

TEST_F(ProviderCatalogTest, RedirectsAreNotFollowed) {
  ProviderFlags flags;
  flags.endpoint = {"name=a,url=" + server_.Url("/v1") + ",model=m"};
  Configure(flags);
  reply_ = http::LoopbackServer::Answer(302, "", StrCat("Location: ", server_.Url("/x"), "\r\n"));
  EXPECT_THAT(Ask("endpoints:/a"), HasReason("MODEL_REFUSED"));
  EXPECT_EQ(server_.requests(), 1);
}

}  // namespace
}  // namespace assay::judge
