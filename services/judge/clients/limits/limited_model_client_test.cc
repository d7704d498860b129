#include "services/judge/clients/limits/limited_model_client.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/scripted_model_client.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class LimitedModelClientTest : public testing::Test {
 protected:
  ModelAnswer Ask(const std::string& key, CallContext context = {}) {
    ModelAnswer answer;
    client_->Complete({.idempotency_key = key}, std::move(context), answer.Taker());
    return answer;
  }

  void NewClient(const LimitedModelClient::Options& options) {
    client_ = std::make_unique<LimitedModelClient>(
        std::make_unique<ScriptedModelClient>(&script_), options,
        LimitedModelClient::Dependencies{&executor_, &timers_, &clock_});
  }

  InlineExecutor executor_;
  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  ModelScript script_;
  std::unique_ptr<LimitedModelClient> client_ = std::make_unique<LimitedModelClient>(
      std::make_unique<ScriptedModelClient>(&script_),
      LimitedModelClient::Options{.name = "openai:/", .max_in_flight = 2, .max_queued = 2},
      LimitedModelClient::Dependencies{&executor_, &timers_, &clock_});
};

TEST_F(LimitedModelClientTest, CallsBeyondTheBoundWaitInOrder) {
  std::vector<ModelAnswer> answers;
  for (const char* key : {"a", "b", "c", "d"}) answers.push_back(Ask(key));
  EXPECT_THAT(script_.requests, SizeIs(2));
  script_.AnswerOpen(ModelResponse{});
  ASSERT_THAT(script_.requests, SizeIs(3));
  EXPECT_EQ(script_.requests[2].idempotency_key, "c");
  while (!script_.open.empty()) script_.AnswerOpen(ModelResponse{});
  EXPECT_THAT(script_.requests, SizeIs(4));
  for (const ModelAnswer& answer : answers) {
    ASSERT_TRUE(answer.has_value());
    EXPECT_OK(*answer);
  }
  Ask("e");
  Ask("f");
  EXPECT_THAT(script_.requests, SizeIs(6));
}

TEST_F(LimitedModelClientTest, RefusesWhenTheLineIsFull) {
  for (const char* key : {"a", "b", "c", "d"}) Ask(key);
  ModelAnswer refused = Ask("e");
  ASSERT_TRUE(refused.has_value());
  EXPECT_THAT(*refused, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("openai:/")));
  EXPECT_THAT(*refused, HasReason("OVERLOADED"));
  EXPECT_TRUE(RetryAfter((*refused).status()).has_value());
}

TEST_F(LimitedModelClientTest, CancelledCallLeavesTheLine) {
  Ask("a");
  Ask("b");
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  context.deadline = clock_.Now() + absl::Minutes(1);
  ModelAnswer answer = Ask("c", context);
  EXPECT_FALSE(answer.has_value());
  context.cancel->Cancel();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(timers_.pending(), 0u);
  script_.AnswerOpen(ModelResponse{});
  EXPECT_THAT(script_.requests, SizeIs(2));
}

TEST_F(LimitedModelClientTest, LateCallLeavesTheLine) {
  Ask("a");
  Ask("b");
  CallContext context;
  context.deadline = clock_.Now() + absl::Seconds(5);
  ModelAnswer answer = Ask("c", context);
  clock_.Advance(absl::Seconds(5));
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(*answer, HasReason("MODEL_TIMEOUT"));
}

TEST_F(LimitedModelClientTest, TimersOfBegunCallsAreGone) {
  Ask("a");
  Ask("b");
  CallContext context;
  context.deadline = clock_.Now() + absl::Seconds(5);
  Ask("c", context);
  EXPECT_EQ(timers_.pending(), 1u);
  script_.AnswerOpen(ModelResponse{});
  EXPECT_EQ(timers_.pending(), 0u);
  EXPECT_THAT(script_.requests, SizeIs(3));
}

absl::Status TooMuch(std::optional<absl::Duration> retry_after = {}) {
  return MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "429",
                                 {{"http_status", "429"}}),
                       retry_after);
}

CallContext Nested() {
  CallContext context;
  context.depth = 1;
  return context;
}

CallContext Job() {
  CallContext context;
  context.priority = Priority::kJob;
  return context;
}

TEST_F(LimitedModelClientTest, NestedCallsHaveASlotOfTheirOwnAndGoFirst) {
  Ask("a");
  Ask("b");
  Ask("waits");
  Ask("nested 1", Nested());
  ASSERT_THAT(script_.requests, SizeIs(3));
  EXPECT_EQ(script_.requests[2].idempotency_key, "nested 1");
  Ask("nested 2", Nested());
  ASSERT_THAT(script_.requests, SizeIs(3));
  script_.AnswerOpen(ModelResponse{});
  ASSERT_THAT(script_.requests, SizeIs(4));
  EXPECT_EQ(script_.requests[3].idempotency_key, "nested 2");
}

TEST_F(LimitedModelClientTest, InteractiveCallsGoBeforeJobs) {
  Ask("a");
  Ask("b");
  Ask("job", Job());
  Ask("person");
  script_.AnswerOpen(ModelResponse{});
  ASSERT_THAT(script_.requests, SizeIs(3));
  EXPECT_EQ(script_.requests[2].idempotency_key, "person");
}

TEST_F(LimitedModelClientTest, RepeatedAttemptsAreNotRefused) {
  for (const char* key : {"a", "b", "c", "d"}) Ask(key);
  ModelAnswer answer;
  client_->Complete({.idempotency_key = "again", .attempt = 2}, {}, answer.Taker());
  EXPECT_FALSE(answer.has_value());
  script_.AnswerOpen(ModelResponse{});
  EXPECT_EQ(script_.requests.back().idempotency_key, "again");
}

TEST_F(LimitedModelClientTest, RefusalsForTooMuchHalveTheLimit) {
  Ask("a");
  Ask("b");
  Ask("c");
  script_.AnswerOpen(TooMuch());
  EXPECT_EQ(client_->Stats().limit, 1);
  EXPECT_THAT(script_.requests, SizeIs(2));
  script_.AnswerOpen(ModelResponse{});
  EXPECT_THAT(script_.requests, SizeIs(3));
  EXPECT_EQ(client_->Stats().recent.rate, 1);
  EXPECT_EQ(client_->Stats().last_failure, FailureClass::kRate);
}

TEST_F(LimitedModelClientTest, RetryAfterPausesEverything) {
  Ask("a");
  script_.AnswerOpen(TooMuch(absl::Seconds(7)));
  EXPECT_EQ(client_->Stats().paused_until, clock_.Now() + absl::Seconds(7));
  Ask("b");
  clock_.Advance(absl::Seconds(6));
  EXPECT_THAT(script_.requests, SizeIs(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(script_.requests, SizeIs(2));
}

TEST_F(LimitedModelClientTest, AnExhaustedHeaderPausesForAMoment) {
  Ask("a");
  ModelResponse last;
  last.rate_hints.remaining_requests = 0;
  last.rate_hints.requests_reset = absl::Seconds(30);
  script_.AnswerOpen(last);
  Ask("b");
  EXPECT_THAT(script_.requests, SizeIs(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(script_.requests, SizeIs(2));
}

TEST_F(LimitedModelClientTest, RequestsPerMinuteAreKept) {
  NewClient(
      {.name = "openai:/", .max_in_flight = 100, .max_queued = 100, .requests_per_minute = 60});
  for (int i = 0; i < 10; ++i) {
    script_.answers.emplace_back(ModelResponse{});
    Ask("x");
  }
  EXPECT_THAT(script_.requests, SizeIs(5));
  clock_.Advance(absl::Milliseconds(1100));
  EXPECT_THAT(script_.requests, SizeIs(6));
  for (int i = 0; i < 5; ++i) clock_.Advance(absl::Milliseconds(1100));
  EXPECT_THAT(script_.requests, SizeIs(10));
}

TEST_F(LimitedModelClientTest, TokensPerMinuteAreCorrectedByTheAnswer) {
  NewClient(
      {.name = "openai:/", .max_in_flight = 100, .max_queued = 100, .tokens_per_minute = 6000});
  Ask("a");  // Holds 500, of which the estimate takes 300.
  ModelResponse long_answer;
  long_answer.output_tokens = 1000;
  script_.AnswerOpen(long_answer);
  Ask("b");
  EXPECT_THAT(script_.requests, SizeIs(1));
  clock_.Advance(absl::Seconds(7));
  EXPECT_THAT(script_.requests, SizeIs(1));
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(script_.requests, SizeIs(2));
}

TEST_F(LimitedModelClientTest, ErrorsOfTheLineSayThatNobodyWasAsked) {
  for (const char* key : {"a", "b", "c", "d"}) Ask(key);
  EXPECT_TRUE(WasNeverAsked((*Ask("e")).status()));
  EXPECT_FALSE(WasNeverAsked(TooMuch()));
}

TEST_F(LimitedModelClientTest, ShutdownAnswersTheLine) {
  Ask("a");
  Ask("b");
  ModelAnswer waiting = Ask("c");
  client_->Shutdown();
  ASSERT_TRUE(waiting.has_value());
  EXPECT_THAT(*waiting, StatusIs(absl::StatusCode::kCancelled));
  ModelAnswer late = Ask("d");
  ASSERT_TRUE(late.has_value());
  EXPECT_THAT(*late, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(LimitedModelClientTest, AnswersAfterDestructionAreHarmless) {
  ModelAnswer running = Ask("a");
  client_.reset();
  script_.AnswerOpen(ModelResponse{});
  ASSERT_TRUE(running.has_value());
  EXPECT_OK(*running);
}

}  // namespace
}  // namespace assay::judge
