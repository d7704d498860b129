#include "services/judge/core/evaluation/patient_model_client.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/quota_errors.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"
#include "services/judge/testing/fake_model_client.h"

namespace assay::judge {
namespace {

constexpr absl::Duration kLimit = absl::Minutes(2);

absl::Status CircuitOpen(absl::Duration wait = absl::Seconds(3)) {
  return WithRetryAfter(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "away",
                                  {{"circuit", "open"}, {"attempts", "0"}}),
                        wait);
}

absl::Status Down() {
  return MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "gave up after 5 attempts");
}

class PatientModelClientTest : public testing::Test {
 protected:
  using Answer = std::shared_ptr<std::optional<absl::StatusOr<ModelResponse>>>;

  Answer Ask(CallContext context = {}) {
    auto slot = std::make_shared<std::optional<absl::StatusOr<ModelResponse>>>();
    client_->Complete(
        {.model_uri = "openai:/m"}, std::move(context),
        [slot](absl::StatusOr<ModelResponse> answer) { slot->emplace(std::move(answer)); });
    return slot;
  }

  InlineExecutor executor_;
  FakeClock clock_;
  std::unique_ptr<FakeTimerQueue> timers_ = std::make_unique<FakeTimerQueue>(&clock_);
  FakeModelClient models_{&executor_};
  Patience patience_{executor_, *timers_, {}};
  std::vector<absl::Status> reports_;
  std::unique_ptr<PatientModelClient> client_ = std::make_unique<PatientModelClient>(
      models_, patience_, clock_, kLimit,
      [this](const absl::Status& trouble) { reports_.push_back(trouble); });
};

TEST_F(PatientModelClientTest, WaitsWhileTheCircuitIsOpenAndSaysSo) {
  models_.AddResponse(CircuitOpen());
  models_.AddText("good");
  const Answer answer = Ask();
  EXPECT_FALSE(answer->has_value());
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_THAT(reports_[0], HasReason("MODEL_UNREACHABLE"));
  clock_.Advance(absl::Seconds(3));
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((**answer)->text, "good");
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_OK(reports_[1]);
}

TEST_F(PatientModelClientTest, WhoIsLetThroughAndFailsWaitsOn) {
  models_.AddResponse(CircuitOpen());
  models_.AddResponse(Down());
  models_.AddResponse(CircuitOpen());
  models_.AddText("good");
  const Answer answer = Ask();
  for (int i = 0; i < 3; ++i) clock_.Advance(absl::Seconds(5));
  ASSERT_TRUE(answer->has_value());
  EXPECT_OK(**answer);
}

TEST_F(PatientModelClientTest, AModelThatFailsWithoutACircuitIsNotWaitedFor) {
  models_.AddResponse(Down());
  EXPECT_THAT(**Ask(), HasReason("MODEL_UNREACHABLE"));
  EXPECT_TRUE(reports_.empty());
}

TEST_F(PatientModelClientTest, TheLimitHoldsForAllQuestionsTogether) {
  models_.SetResponder([](const ModelRequest&) { return CircuitOpen(); });
  const Answer first = Ask();
  for (int i = 0; i < 20; ++i) clock_.Advance(absl::Seconds(5));
  EXPECT_FALSE(first->has_value());
  const Answer second = Ask();
  EXPECT_FALSE(second->has_value());
  for (int i = 0; i < 5; ++i) clock_.Advance(absl::Seconds(5));
  ASSERT_TRUE(first->has_value());
  EXPECT_THAT(**first, HasReason("MODEL_UNREACHABLE"));
  ASSERT_TRUE(second->has_value()) << "no limit of its own";
  EXPECT_THAT(**Ask(), HasReason("MODEL_UNREACHABLE"));
}

TEST_F(PatientModelClientTest, AnAnswerBeginsTheLimitAnew) {
  models_.SetResponder([](const ModelRequest&) { return CircuitOpen(); });
  Ask();
  for (int i = 0; i < 30; ++i) clock_.Advance(absl::Seconds(5));
  models_.AddText("good");
  EXPECT_OK(**Ask());
  EXPECT_FALSE(Ask()->has_value());
}

TEST_F(PatientModelClientTest, ACancelledJobWaitsNoLonger) {
  models_.SetResponder([](const ModelRequest&) { return CircuitOpen(); });
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  const Answer answer = Ask(context);
  EXPECT_FALSE(answer->has_value());
  context.cancel->Cancel();
  ASSERT_TRUE(answer->has_value());
  EXPECT_THAT(**answer, StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace assay::judge
