#include "services/judge/clients/limited_model_client.h"

#include <memory>
#include <string>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/status/status_matchers.h"
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

  InlineExecutor executor_;
  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  ModelScript script_;
  std::unique_ptr<LimitedModelClient> client_ = std::make_unique<LimitedModelClient>(
      std::make_unique<ScriptedModelClient>(&script_),
      LimitedModelClient::Options{.name = "openai:/", .max_in_flight = 2, .max_queued = 2},
      &executor_, &timers_);
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
