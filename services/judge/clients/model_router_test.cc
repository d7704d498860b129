#include "services/judge/clients/model_router.h"

#include <memory>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/http/testing/fake_http_client.h"
#include "common/status/status_matchers.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/scripted_model_client.h"

namespace assay::judge {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kOpenAi[] = R"({"model":"m","choices":[{"message":{"content":"from openai"}}]})";
constexpr char kAnthropic[] =
    R"({"model":"c","content":[{"type":"text","text":"from anthropic"}]})";

ModelConfig Config() {
  ModelConfig config;
  config.providers = {
      {.name = "anthropic",
       .dialect = Dialect::kAnthropic,
       .base_url = "https://anthropic.test",
       .missing = "the environment variable ANTHROPIC_API_KEY"},
      {.name = "openai", .base_url = "https://openai.test/v1", .api_key = "hush-1234"},
      {.name = "local",
       .is_endpoint = true,
       .base_url = "http://local.test/v1",
       .model = "llama",
       .needs_key = false},
      {.name = "bare", .is_endpoint = true, .base_url = "http://bare.test/v1", .needs_key = false},
      {.name = "keyed",
       .is_endpoint = true,
       .base_url = "http://keyed.test/v1",
       .model = "m",
       .missing = "the environment variable KEYED_KEY"}};
  config.default_model = "endpoints:/local";
  config.timeout = absl::Seconds(10);
  return config;
}

class ModelRouterTest : public testing::Test {
 protected:
  std::unique_ptr<ModelRouter> NewRouter(const ModelConfig& config) {
    return std::make_unique<ModelRouter>(
        config,
        ModelRouter::Dependencies{&http_, &executor_, &timers_, &clock_, [] { return 0.5; }},
        std::make_unique<ScriptedModelClient>(&offline_));
  }
  absl::StatusOr<ModelResponse> Ask(const std::string& uri) {
    ModelAnswer answer;
    router_->Complete({.model_uri = uri, .messages = {{ChatRole::kUser, "hi"}}}, {},
                      answer.Taker());
    for (int i = 0; i < 20 && !answer.has_value(); ++i) clock_.Advance(absl::Minutes(2));
    if (!answer.has_value()) return absl::InternalError("no answer");
    return *answer;
  }

  InlineExecutor executor_;
  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  http::FakeHttpClient http_{&executor_};
  ModelScript offline_;
  std::unique_ptr<ModelRouter> router_ = NewRouter(Config());
};

TEST_F(ModelRouterTest, SendsEachUriToItsProvider) {
  ModelConfig config = Config();
  config.providers[0].api_key = "also-hush";
  config.providers[0].missing = "";
  router_ = NewRouter(config);
  http_.SetHandler([](const http::HttpRequest& request) {
    return http::HttpResponse{200, {}, request.url.ends_with("/messages") ? kAnthropic : kOpenAi};
  });
  offline_.answers.emplace_back(ModelResponse{.text = "from offline"});
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse openai, Ask("openai:/gpt-x"));
  EXPECT_EQ(openai.text, "from openai");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse anthropic, Ask("anthropic:/claude"));
  EXPECT_EQ(anthropic.text, "from anthropic");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse offline, Ask("offline:/lexical"));
  EXPECT_EQ(offline.text, "from offline");
  ASSERT_OK(Ask("endpoints:/local"));
  ASSERT_OK(Ask("endpoints:/bare/meta/llama"));
  const std::vector<http::HttpRequest> requests = http_.requests();
  ASSERT_THAT(requests, SizeIs(4));
  EXPECT_EQ(requests[0].url, "https://openai.test/v1/chat/completions");
  EXPECT_EQ(requests[1].url, "https://anthropic.test/v1/messages");
  EXPECT_EQ(requests[2].url, "http://local.test/v1/chat/completions");
  EXPECT_THAT(requests[2].body, HasSubstr(R"("model":"llama")"));
  EXPECT_THAT(requests[3].body, HasSubstr(R"("model":"meta/llama")"));
}

TEST_F(ModelRouterTest, UnknownUrisListTheForms) {
  for (const char* uri : {"", "gpt-4", "nonsense:/x", "offline:/other", "endpoints:/bare"}) {
    const absl::Status error = Ask(uri).status();
    EXPECT_THAT(error,
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("<provider>:/<model>"), HasSubstr("offline:/lexical"))))
        << uri;
    EXPECT_THAT(error, HasReason("INVALID_MODEL_URI")) << uri;
  }
  EXPECT_THAT(http_.requests(), SizeIs(0));
}

TEST_F(ModelRouterTest, MissingCredentialsNameTheVariable) {
  const absl::Status anthropic = Ask("anthropic:/claude").status();
  EXPECT_THAT(anthropic,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("ANTHROPIC_API_KEY")));
  EXPECT_THAT(anthropic, HasReason("MODEL_NOT_CONFIGURED"));
  EXPECT_THAT(Ask("endpoints:/keyed"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("KEYED_KEY")));
  EXPECT_THAT(Ask("endpoints:/absent"), HasReason("MODEL_NOT_CONFIGURED"));
  EXPECT_THAT(http_.requests(), SizeIs(0));
  EXPECT_THAT(offline_.requests, SizeIs(0));
}

TEST_F(ModelRouterTest, CheckAgreesWithComplete) {
  EXPECT_OK(router_->Check("openai:/x"));
  EXPECT_OK(router_->Check("offline:/lexical"));
  EXPECT_THAT(router_->Check("anthropic:/x"), HasReason("MODEL_NOT_CONFIGURED"));
  EXPECT_THAT(router_->Check("x"), HasReason("INVALID_MODEL_URI"));
}

TEST_F(ModelRouterTest, ListsProvidersAndWhetherTheyAreConfigured) {
  std::vector<std::string> listed;
  for (const ModelRouter::ProviderStatus& status : router_->Providers()) {
    listed.push_back(status.uri_prefix + (status.configured ? " yes" : " no"));
  }
  EXPECT_THAT(listed, ElementsAre("anthropic:/ no", "endpoints:/bare yes", "endpoints:/keyed no",
                                  "endpoints:/local yes", "offline:/lexical yes", "openai:/ yes"));
  EXPECT_EQ(router_->default_model(), "endpoints:/local");
}

TEST_F(ModelRouterTest, MalformedAnswersAreAskedAgainAndThenUnreachable) {
  http_.SetHandler([](const http::HttpRequest&) {
    return http::HttpResponse{200, {}, "{\"choices\":["};
  });
  const absl::Status error = Ask("openai:/x").status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("5 attempts")));
  EXPECT_THAT(error, HasReason("MODEL_UNREACHABLE"));
  EXPECT_THAT(ErrorMetadata(error, "last_error").value_or(""), HasSubstr("no JSON"));
  EXPECT_THAT(http_.requests(), SizeIs(5));
}

TEST_F(ModelRouterTest, RecoversFromAFailingProvider) {
  http_.Enqueue(429, "slow down", {{"Retry-After", "1"}});
  http_.Enqueue(MakeError(absl::StatusCode::kUnavailable, "CONNECTION_RESET", "gone"));
  http_.Enqueue(200, kOpenAi);
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, Ask("openai:/x"));
  EXPECT_EQ(response.attempts, 3);
}

TEST_F(ModelRouterTest, NoErrorShowsAKey) {
  for (int status : {400, 401, 402, 403, 429, 500}) {
    http_.SetHandler([status](const http::HttpRequest& request) {
      return http::HttpResponse{status, {}, "you sent hush-1234 " + request.headers[1].value};
    });
    const absl::Status error = Ask("openai:/x").status();
    EXPECT_FALSE(error.ok());
    EXPECT_THAT(error.ToString(), Not(HasSubstr("hush"))) << status;
    for (const char* key : {"last_error", "http_status", "attempts"}) {
      EXPECT_THAT(ErrorMetadata(error, key).value_or(""), Not(HasSubstr("hush")));
    }
    EXPECT_FALSE(IsRetriable(error));
  }
}

TEST_F(ModelRouterTest, BoundsWhatIsInFlightPerProvider) {
  ModelConfig config = Config();
  config.max_in_flight = 1;
  config.max_queued = 1;
  ManualExecutor manual;
  http::FakeHttpClient http(&manual);
  http.SetHandler([](const http::HttpRequest&) { return http::HttpResponse{200, {}, kOpenAi}; });
  ModelRouter router(config, {&http, &manual, &timers_, &clock_, [] { return 0.5; }}, nullptr);
  ModelAnswer first;
  ModelAnswer second;
  ModelAnswer third;
  router.Complete({.model_uri = "openai:/x"}, {}, first.Taker());
  router.Complete({.model_uri = "openai:/x"}, {}, second.Taker());
  router.Complete({.model_uri = "openai:/x"}, {}, third.Taker());
  router.Complete({.model_uri = "endpoints:/local"}, {}, ModelAnswer().Taker());
  EXPECT_THAT(http.requests(), SizeIs(2));
  manual.RunAll();
  ASSERT_TRUE(third.has_value());
  EXPECT_THAT(*third, HasReason("OVERLOADED"));
  EXPECT_OK(*first);
  EXPECT_OK(*second);
}

}  // namespace
}  // namespace assay::judge
