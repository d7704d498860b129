// The scripted model over real HTTP, asked by the judge service's own clients.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/exec/parallel_map.h"
#include "common/http/curl_http_client.h"
#include "common/json/safe_json.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "services/judge/clients/model_router.h"
#include "tests/fake_llm/server.h"

namespace assay::fake_llm {
namespace {

using judge::ModelRequest;
using judge::ModelResponse;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kSchema[] = R"({"type":"object","properties":{"rationale":{"type":"string"},)"
                           R"("result":{"type":"string","enum":["good","poor"]}}})";
constexpr absl::Duration kForever = absl::Seconds(60);

class FakeLlmTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSAY_ASSERT_OK_AND_ASSIGN(server_, FakeLlmServer::Start());
    ASSAY_ASSERT_OK_AND_ASSIGN(http_, http::CurlHttpClient::Create(&executor_));
    judge::ModelConfig config;
    config.providers = {{.name = "anthropic",
                         .dialect = judge::Dialect::kAnthropic,
                         .base_url = server_->anthropic_url(),
                         .api_key = "hush-anthropic",
                         .private_addresses = true},
                        {.name = "openai",
                         .base_url = server_->openai_url(),
                         .api_key = "hush-openai",
                         .private_addresses = true}};
    config.default_model = "openai:/m";
    config.timeout = kForever;
    Connect(config);
  }
  void Connect(const judge::ModelConfig& config) {
    config_ = config;
    router_ = std::make_unique<judge::ModelRouter>(
        config,
        judge::ModelRouter::Dependencies{http_.get(), &executor_, &timers_, &SystemClock(), {}},
        nullptr,
        judge::RetryPolicy{.base_delay = absl::Milliseconds(1),
                           .max_retry_after = absl::Milliseconds(5)});
  }
  void Script(const std::string& json) { ASSERT_OK(server_->model().SetScript(json)); }

  static ModelRequest Request(const std::string& uri, const std::string& text = "thank you",
                              const std::string& key = "") {
    return {.model_uri = uri,
            .messages = {{judge::ChatRole::kSystem, "Be fair."}, {judge::ChatRole::kUser, text}},
            .response_schema = kSchema,
            .idempotency_key = key};
  }
  absl::StatusOr<ModelResponse> Ask(const ModelRequest& request, CallContext context = {}) {
    const std::vector<ModelRequest> requests = {request};
    return std::move(ParallelMap<ModelRequest, ModelResponse>(
        requests, 1, [&](const ModelRequest& one, Done<ModelResponse> done) {
          router_->Complete(one, context, std::move(done));
        })[0]);
  }
  absl::StatusOr<http::HttpResponse> Fetch(const std::string& method, const std::string& path,
                                           const std::string& body = "") {
    const std::vector<int> one = {0};
    return std::move(ParallelMap<int, http::HttpResponse>(
        one, 1, [&](const int&, Done<http::HttpResponse> done) {
          http_->Send(
              {.method = method, .url = "http://" + server_->address() + path, .body = body}, {},
              std::move(done));
        })[0]);
  }

  ThreadPool executor_{"test", 2};
  ThreadTimerQueue timers_;
  std::unique_ptr<FakeLlmServer> server_;
  std::unique_ptr<http::CurlHttpClient> http_;
  judge::ModelConfig config_;
  std::unique_ptr<judge::ModelRouter> router_;
};

TEST_F(FakeLlmTest, AnswersBothWireForms) {
  for (const char* uri : {"openai:/m", "anthropic:/m"}) {
    ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, Ask(Request(uri)));
    EXPECT_EQ(response.text, R"({"rationale":"by first impression \"good\"","result":"good"})")
        << uri;
    EXPECT_EQ(response.answered_by, "m");
    EXPECT_GT(response.input_tokens, 0);
    EXPECT_EQ(response.attempts, 1);
  }
  const std::vector<LoggedRequest> log = server_->model().Log();
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[0].prompt_sha256, log[1].prompt_sha256);
  EXPECT_TRUE(log[0].answered);
  EXPECT_EQ(log[1].attempt, 2);
}

TEST_F(FakeLlmTest, TransientFaultsAreSurvived) {
  for (const char* uri : {"openai:/m", "anthropic:/m"}) {
    for (const char* fault :
         {R"({"fault":"status","status":429,"retry_after":"1"})",
          R"({"fault":"status","status":500})", R"({"fault":"status","status":529})",
          R"({"fault":"truncated_json"})", R"({"fault":"malformed_json"})", R"({"fault":"drop"})",
          R"({"fault":"drop_mid_body"})"}) {
      Script(std::string(R"({"sequence":[)") + fault + "]}");
      ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, Ask(Request(uri)));
      EXPECT_EQ(response.attempts, 2) << fault << " " << uri;
      EXPECT_THAT(response.text, HasSubstr("good")) << fault;
    }
  }
}

TEST_F(FakeLlmTest, SpoiledContentArrivesAsTheModelWroteIt) {
  const std::map<std::string, std::string> expected = {{"fenced", "```json"},
                                                       {"malformed_content", "deserves"},
                                                       {"wrong_type", "12345"},
                                                       {"outside_value", "outside_of"},
                                                       {"truncated_content", "rationale"}};
  for (const char* uri : {"openai:/m", "anthropic:/m"}) {
    for (const auto& [fault, text] : expected) {
      Script(R"({"sequence":[{"fault":")" + fault + "\"}]}");
      ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, Ask(Request(uri)));
      EXPECT_THAT(response.text, HasSubstr(text)) << fault << " " << uri;
      EXPECT_EQ(response.truncated, fault == "truncated_content");
    }
  }
}

TEST_F(FakeLlmTest, PermanentFaultsAreNotRepeated) {
  Script(R"({"sequence":[{"fault":"quota"}]})");
  EXPECT_THAT(Ask(Request("openai:/m")), HasReason("MODEL_QUOTA_EXHAUSTED"));
  for (const char* uri : {"openai:/m", "anthropic:/m"}) {
    Script(R"({"sequence":[{"fault":"refusal"}]})");
    EXPECT_THAT(Ask(Request(uri)), HasReason("MODEL_REFUSED"));
  }
  Script(R"({"sequence":[{"fault":"endless_body"}]})");
  EXPECT_THAT(Ask(Request("openai:/m")), HasReason("MODEL_ANSWER_TOO_LARGE"));
  EXPECT_EQ(server_->model().stats().requests, 4u);
}

TEST_F(FakeLlmTest, UnreachableModelIsGivenUpAfterItsAttempts) {
  Script(R"({"faults":[{"fault":"status","status":503}]})");
  const absl::Status error = Ask(Request("openai:/m", "x", "key")).status();
  EXPECT_THAT(error, HasReason("MODEL_UNREACHABLE"));
  EXPECT_EQ(server_->model().stats().requests, 5u);
  for (const LoggedRequest& request : server_->model().Log()) {
    EXPECT_EQ(request.idempotency_key, "key");
    EXPECT_FALSE(request.answered);
  }
}

TEST_F(FakeLlmTest, HangingModelTimesOut) {
  config_.timeout = absl::Milliseconds(20);
  config_.attempts = 2;
  Connect(config_);
  Script(R"({"faults":[{"fault":"hang"}]})");
  const absl::Status error = Ask(Request("openai:/m")).status();
  EXPECT_THAT(error, HasReason("MODEL_TIMEOUT"));
  EXPECT_EQ(server_->model().stats().requests, 2u);
}

TEST_F(FakeLlmTest, FaultsCanBeTiedToAPromptAndItsFirstAttempts) {
  Script(R"({"faults":[{"fault":"status","status":500,"contains":"poison","max_attempt":2}]})");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse sound, Ask(Request("openai:/m", "sound")));
  EXPECT_EQ(sound.attempts, 1);
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse poisoned, Ask(Request("openai:/m", "poison")));
  EXPECT_EQ(poisoned.attempts, 3);
}

TEST_F(FakeLlmTest, ModelWithoutStructuredOutputIsAskedWithout) {
  Script(R"({"structured_output":false})");
  ASSAY_ASSERT_OK_AND_ASSIGN(ModelResponse response, Ask(Request("openai:/m")));
  EXPECT_EQ(response.attempts, 1);
  EXPECT_THAT(response.text, HasSubstr(R"("result":"good")"));
}

TEST_F(FakeLlmTest, WrongKeyIsRefusedAndNeverShown) {
  Script(R"({"api_key":"another"})");
  for (const char* uri : {"openai:/m", "anthropic:/m"}) {
    const absl::Status error = Ask(Request(uri)).status();
    EXPECT_THAT(error, HasReason("MODEL_UNAUTHORIZED"));
    EXPECT_THAT(error.ToString(), HasSubstr("Incorrect API key"));
    EXPECT_THAT(error.ToString(), Not(HasSubstr("hush")));
  }
}

TEST_F(FakeLlmTest, ControlShowsLogSearchAndStats) {
  ASSERT_OK(Ask(Request("openai:/m", "one canary-17 here", "k1")));
  ASSERT_OK(Ask(Request("openai:/m", "two", "k2")));
  ASSERT_OK(Ask(Request("openai:/m", "two", "k2")));
  ASSAY_ASSERT_OK_AND_ASSIGN(auto log, Fetch("GET", "/control/log?prompts=1&contains=canary%2D17"));
  ASSAY_ASSERT_OK_AND_ASSIGN(auto found, json::JsonPathText(log.body, "count"));
  EXPECT_EQ(found, "1");
  EXPECT_THAT(log.body, HasSubstr(R"("idempotency_key":"k1")"));
  EXPECT_THAT(log.body, HasSubstr(R"(one canary-17 here)"));
  EXPECT_THAT(log.body, Not(HasSubstr("hush")));
  ASSAY_ASSERT_OK_AND_ASSIGN(
      auto search, Fetch("POST", "/control/search", R"({"texts":["canary-17","two","no"]})"));
  EXPECT_EQ(search.body, R"({"prompts_with":{"canary-17":1,"two":2,"no":0}})");
  ASSAY_ASSERT_OK_AND_ASSIGN(auto stats, Fetch("GET", "/control/stats"));
  EXPECT_THAT(
      stats.body,
      HasSubstr(R"("requests":3,"answered":3,"distinct_prompts":2,"keys_answered_twice":1)"));
  ASSAY_ASSERT_OK_AND_ASSIGN(auto reset, Fetch("POST", "/control/reset"));
  EXPECT_EQ(reset.status, 200);
  EXPECT_THAT(server_->model().Log(), IsEmpty());
  EXPECT_EQ(server_->model().stats().requests, 0u);
}

TEST_F(FakeLlmTest, ControlRefusesABadScriptAndKeepsTheOld) {
  ASSAY_ASSERT_OK_AND_ASSIGN(auto bad, Fetch("POST", "/control/script", R"({"latency":1})"));
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("latency"));
  ASSAY_ASSERT_OK_AND_ASSIGN(auto good, Fetch("POST", "/control/script", R"({"noise":0})"));
  EXPECT_EQ(good.status, 200);
  ASSAY_ASSERT_OK_AND_ASSIGN(auto absent, Fetch("GET", "/control/absent"));
  EXPECT_EQ(absent.status, 404);
}

TEST_F(FakeLlmTest, ClientThatLeavesIsNotCountedAsAnswered) {
  Script(R"({"latency_ms":60000})");
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  auto done = std::make_shared<Notification>();
  router_->Complete(Request("openai:/m"), context, [done](absl::StatusOr<ModelResponse> answer) {
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
    done->Notify();
  });
  // The control request that sees it in the log comes after it.
  while (server_->model().stats().requests == 0) ASSERT_OK(Fetch("GET", "/control/stats"));
  context.cancel->Cancel();
  ASSERT_TRUE(done->WaitFor(kForever));
  EXPECT_EQ(server_->model().stats().answered, 0u);
}

TEST_F(FakeLlmTest, ThousandsOfCallsAtOnceAreAnswered) {
  Script(R"({"canned_content":"{\"result\":\"good\"}","latency_ms":20})");
  config_.max_in_flight = 1000;
  Connect(config_);
  const std::vector<ModelRequest> requests(4000, Request("openai:/m"));
  const auto answers = ParallelMap<ModelRequest, ModelResponse>(
      requests, 2000, [&](const ModelRequest& one, Done<ModelResponse> done) {
        router_->Complete(one, {}, std::move(done));
      });
  for (const auto& answer : answers) ASSERT_OK(answer);
  const Stats stats = server_->model().stats();
  EXPECT_EQ(stats.answered, 4000u);
  EXPECT_LE(stats.max_in_flight, 1000u);
}

}  // namespace
}  // namespace assay::fake_llm
