#include "services/judge/clients/limits/fallback_model_client.h"

#include <string>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/clients/scripted_model_client.h"

namespace assay::judge {
namespace {

using ::testing::ElementsAre;

absl::Status Unreachable() {
  return MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "gone",
                   {{"attempts", "5"}});
}

class FallbackModelClientTest : public testing::Test {
 protected:
  ModelAnswer Ask(std::vector<std::string> fallbacks, CallContext context = {}) {
    ModelAnswer answer;
    client_.Complete({.model_uri = "a:/1", .fallback_models = std::move(fallbacks)},
                     std::move(context), answer.Taker());
    return answer;
  }
  std::vector<std::string> Asked() const {
    std::vector<std::string> models;
    for (const ModelRequest& request : script_.requests) models.push_back(request.model_uri);
    return models;
  }

  FakeClock clock_;
  ModelScript script_;
  ScriptedModelClient inner_{&script_};
  FallbackModelClient client_{inner_, {"d:/default"}, clock_};
};

TEST_F(FallbackModelClientTest, TheFirstModelAnswersIfItCan) {
  script_.answers.emplace_back(ModelResponse{});
  const ModelAnswer answer = Ask({"b:/2"});
  ASSERT_OK(*answer);
  EXPECT_EQ((*answer)->model_uri, "a:/1");
  EXPECT_THAT(Asked(), ElementsAre("a:/1"));
}

TEST_F(FallbackModelClientTest, GoesDownTheChainUntilOneAnswers) {
  script_.answers.emplace_back(Unreachable());
  script_.answers.emplace_back(
      MakeError(absl::StatusCode::kResourceExhausted, "MODEL_QUOTA_EXHAUSTED", "none left"));
  script_.answers.emplace_back(ModelResponse{});
  const ModelAnswer answer = Ask({"b:/2", "c:/3", "d:/4"});
  ASSERT_OK(*answer);
  EXPECT_EQ((*answer)->model_uri, "c:/3");
  EXPECT_EQ((*answer)->attempts, 5 + 1 + 1);
  EXPECT_THAT(Asked(), ElementsAre("a:/1", "b:/2", "c:/3"));
}

TEST_F(FallbackModelClientTest, TheDefaultChainServesRequestsWithoutOne) {
  script_.answers.emplace_back(Unreachable());
  script_.answers.emplace_back(ModelResponse{});
  EXPECT_EQ((*Ask({}))->model_uri, "d:/default");
}

TEST_F(FallbackModelClientTest, RefusalsAreFinal) {
  for (const char* reason : {"MODEL_REFUSED", "BUDGET_EXHAUSTED", "MODEL_NOT_CONFIGURED"}) {
    script_.answers.emplace_back(MakeError(absl::StatusCode::kInvalidArgument, reason, "no"));
    EXPECT_THAT(*Ask({"b:/2"}), HasReason(reason));
  }
  EXPECT_THAT(Asked(), ElementsAre("a:/1", "a:/1", "a:/1"));
}

TEST_F(FallbackModelClientTest, AFallbackWithoutItsKeyIsPassedOver) {
  script_.answers.emplace_back(Unreachable());
  script_.answers.emplace_back(
      MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED", "no key"));
  script_.answers.emplace_back(ModelResponse{});
  EXPECT_EQ((*Ask({"b:/2", "c:/3"}))->model_uri, "c:/3");
}

TEST_F(FallbackModelClientTest, TheFirstErrorIsAnsweredWhenAllFail) {
  script_.answers.emplace_back(Unreachable());
  script_.answers.emplace_back(
      MakeError(absl::StatusCode::kResourceExhausted, "MODEL_QUOTA_EXHAUSTED", "none left"));
  const ModelAnswer answer = Ask({"b:/2"});
  EXPECT_THAT(*answer, HasReason("MODEL_UNREACHABLE"));
  EXPECT_EQ(ErrorMetadata((*answer).status(), "fallbacks"), "1");
  EXPECT_EQ(ErrorMetadata((*answer).status(), "attempts"), "6");
}

TEST_F(FallbackModelClientTest, TheSameModelIsNotAskedTwice) {
  script_.answers.emplace_back(Unreachable());
  EXPECT_THAT(*Ask({"a:/1"}), HasReason("MODEL_UNREACHABLE"));
  EXPECT_THAT(Asked(), ElementsAre("a:/1"));
}

TEST_F(FallbackModelClientTest, NobodyIsAskedWhenTimeIsOver) {
  CallContext context;
  context.deadline = clock_.Now() + absl::Seconds(1);
  const ModelAnswer answer = Ask({"b:/2"}, context);
  clock_.Advance(absl::Seconds(2));
  script_.AnswerOpen(MakeError(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT", "slow"));
  EXPECT_THAT(*answer, HasReason("MODEL_TIMEOUT"));
  EXPECT_THAT(Asked(), ElementsAre("a:/1"));
}

}  // namespace
}  // namespace assay::judge
