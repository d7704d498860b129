#include "services/judge/clients/limits/retrying_model_client.h"

#include <memory>
#include <optional>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/status/status_matchers.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/scripted_model_client.h"

namespace assay::judge {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::SizeIs;

absl::Status Busy(std::optional<absl::Duration> retry_after = {}) {
  return MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "busy",
                                 {{"http_status", "503"}}),
                       retry_after);
}

class RetryingModelClientTest : public testing::Test {
 protected:
  ModelAnswer Ask(CallContext context = {}) {
    ModelAnswer answer;
    client_->Complete({.model_uri = "openai:/m", .idempotency_key = "k"}, std::move(context),
                      answer.Taker());
    return answer;
  }
  void FailAlways(int times = 10) {
    for (int i = 0; i < times; ++i) script_.answers.emplace_back(Busy());
  }
  absl::Duration NextDelay() { return timers_->NextDue() - clock_.Now(); }

  double random_ = 1.0;
  InlineExecutor executor_;
  FakeClock clock_;
  std::unique_ptr<FakeTimerQueue> timers_ = std::make_unique<FakeTimerQueue>(&clock_);
  ModelScript script_;
  std::unique_ptr<RetryingModelClient> client_ = std::make_unique<RetryingModelClient>(
      std::make_unique<ScriptedModelClient>(&script_), RetryPolicy(),
      RetryingModelClient::Dependencies{&executor_, timers_.get(), &clock_,
                                        [this] { return random_; }});
};

TEST_F(RetryingModelClientTest, AnswersAtOnceWithoutRetry) {
  script_.answers.emplace_back(ModelResponse{.text = "yes"});
  ModelAnswer answer = Ask();
  ASSERT_TRUE(answer.has_value());
  ASSERT_OK(*answer);
  EXPECT_EQ((*answer)->text, "yes");
  EXPECT_EQ((*answer)->attempts, 1);
}

TEST_F(RetryingModelClientTest, AsksAgainWithTheSameKeyAndCountsAttempts) {
  script_.answers.emplace_back(Busy());
  script_.answers.emplace_back(Busy());
  script_.answers.emplace_back(ModelResponse{.text = "yes"});
  ModelAnswer answer = Ask();
  EXPECT_FALSE(answer.has_value());
  clock_.Advance(absl::Seconds(2));
  clock_.Advance(absl::Seconds(2));
  ASSERT_TRUE(answer.has_value());
  ASSERT_OK(*answer);
  EXPECT_EQ((*answer)->attempts, 3);
  EXPECT_THAT(script_.requests, SizeIs(3));
  EXPECT_THAT(script_.requests, Each(Field(&ModelRequest::idempotency_key, "k")));
}

TEST_F(RetryingModelClientTest, GivesUpAfterFiveAttemptsAndSaysSo) {
  FailAlways();
  ModelAnswer answer = Ask();
  for (int i = 0; i < 10; ++i) clock_.Advance(absl::Minutes(1));
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(script_.requests, SizeIs(5));
  EXPECT_THAT(*answer, StatusIs(absl::StatusCode::kUnavailable,
                                HasSubstr("gave up after 5 attempts: busy")));
  EXPECT_THAT(*answer, HasReason("MODEL_UNREACHABLE"));
  EXPECT_THAT(ErrorMetadata((*answer).status(), "attempts"), Optional(std::string("5")));
  EXPECT_THAT(ErrorMetadata((*answer).status(), "last_error"), Optional(std::string("busy")));
  EXPECT_THAT(ErrorMetadata((*answer).status(), "ended_by"), Optional(std::string("ATTEMPTS")));
  EXPECT_THAT(ErrorMetadata((*answer).status(), "http_status"), Optional(std::string("503")));
  EXPECT_FALSE(IsRetriable((*answer).status()));
}

TEST_F(RetryingModelClientTest, WaitsTwiceAsLongEachTimeUpToTheJitter) {
  FailAlways();
  Ask();
  for (int milliseconds : {500, 1000, 2000, 4000}) {
    EXPECT_EQ(NextDelay(), absl::Milliseconds(milliseconds));
    clock_.Set(timers_->NextDue());
  }
  EXPECT_EQ(timers_->pending(), 0u);
  random_ = 0.25;
  Ask();
  EXPECT_EQ(NextDelay(), absl::Milliseconds(125));
}

TEST_F(RetryingModelClientTest, HonoursRetryAfterUpToItsCap) {
  random_ = 0;
  script_.answers.emplace_back(Busy(absl::Seconds(7)));
  script_.answers.emplace_back(Busy(absl::Hours(7)));
  script_.answers.emplace_back(ModelResponse{});
  ModelAnswer answer = Ask();
  EXPECT_EQ(NextDelay(), absl::Seconds(7));
  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(NextDelay(), absl::Seconds(60));
  clock_.Advance(absl::Seconds(60));
  ASSERT_TRUE(answer.has_value());
  EXPECT_OK(*answer);
}

TEST_F(RetryingModelClientTest, PermanentErrorsAreNotRepeated) {
  script_.answers.emplace_back(
      MakeError(absl::StatusCode::kResourceExhausted, "MODEL_QUOTA_EXHAUSTED", "no money"));
  ModelAnswer answer = Ask();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no money")));
  EXPECT_THAT(*answer, HasReason("MODEL_QUOTA_EXHAUSTED"));
  EXPECT_THAT(ErrorMetadata((*answer).status(), "ended_by"), Optional(std::string("PERMANENT")));
  EXPECT_THAT(script_.requests, SizeIs(1));
}

TEST_F(RetryingModelClientTest, StopsWhereTheDeadlineLeavesNoTime) {
  FailAlways();
  CallContext context;
  context.deadline = clock_.Now() + absl::Milliseconds(1200);
  ModelAnswer answer = Ask(context);
  clock_.Advance(absl::Milliseconds(500));  // The second attempt; the third would come 1 s later.
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer,
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no time after attempt 2")));
  EXPECT_THAT(ErrorMetadata((*answer).status(), "ended_by"), Optional(std::string("DEADLINE")));
}

TEST_F(RetryingModelClientTest, CancelEndsTheWait) {
  FailAlways();
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  ModelAnswer answer = Ask(context);
  EXPECT_FALSE(answer.has_value());
  context.cancel->Cancel();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(timers_->pending(), 0u);
  EXPECT_THAT(script_.requests, SizeIs(1));
}

TEST_F(RetryingModelClientTest, CancelDuringAnAttemptEndsTheCall) {
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  ModelAnswer answer = Ask(context);
  context.cancel->Cancel();
  script_.AnswerOpen(Busy());
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(RetryingModelClientTest, ShutdownLetsNothingBegin) {
  FailAlways();
  ModelAnswer waiting = Ask();
  client_->Shutdown();
  ModelAnswer late = Ask();
  ASSERT_TRUE(late.has_value());
  EXPECT_THAT(*late, StatusIs(absl::StatusCode::kCancelled));
  clock_.Advance(absl::Minutes(1));
  ASSERT_TRUE(waiting.has_value());
  EXPECT_THAT(*waiting, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(script_.requests, SizeIs(2));
}

TEST_F(RetryingModelClientTest, DestroyedTimersStillAnswer) {
  FailAlways();
  ModelAnswer answer = Ask();
  timers_.reset();
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE((*answer).ok());
}

}  // namespace
}  // namespace assay::judge
