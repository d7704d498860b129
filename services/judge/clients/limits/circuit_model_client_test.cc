#include "services/judge/clients/limits/circuit_model_client.h"

#include <memory>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/clients/scripted_model_client.h"

namespace assay::judge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Status Unreachable() {
  return MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "gone");
}

class CircuitModelClientTest : public testing::Test {
 protected:
  ModelAnswer Ask(const std::string& model = "openai:/m") {
    ModelAnswer answer;
    client_.Complete({.model_uri = model}, {}, answer.Taker());
    return answer;
  }
  void Fail(int times, absl::Status error = Unreachable()) {
    for (int i = 0; i < times; ++i) {
      script_.answers.emplace_back(error);
      Ask();
    }
  }
  bool IsOpen() { return !client_.Open(10).empty(); }

  InlineExecutor executor_;
  FakeClock clock_;
  ModelScript script_;
  CircuitModelClient client_{std::make_unique<ScriptedModelClient>(&script_),
                             {.failures_to_open = 3, .open_for = absl::Seconds(20)},
                             &executor_,
                             &clock_};
};

TEST_F(CircuitModelClientTest, OpensAfterFailuresInARow) {
  Fail(3);
  EXPECT_THAT(client_.Open(10), ElementsAre("openai:/m"));
  const ModelAnswer refused = Ask();
  EXPECT_THAT(script_.requests, SizeIs(3));
  ASSERT_TRUE(refused.has_value());
  EXPECT_THAT(*refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(*refused, HasReason("MODEL_UNREACHABLE"));
  EXPECT_EQ(ErrorMetadata((*refused).status(), "circuit"), "open");
  EXPECT_EQ(RetryAfter((*refused).status()), absl::Seconds(20));
}

TEST_F(CircuitModelClientTest, AnAnswerInBetweenStartsTheCountAnew) {
  Fail(2);
  script_.answers.emplace_back(ModelResponse{});
  Ask();
  Fail(2);
  EXPECT_FALSE(IsOpen());
}

TEST_F(CircuitModelClientTest, OtherFailuresDoNotOpen) {
  Fail(5, MakeError(absl::StatusCode::kResourceExhausted, "MODEL_QUOTA_EXHAUSTED", "q"));
  Fail(5, MakeError(absl::StatusCode::kInvalidArgument, "MODEL_REFUSED", "no"));
  Fail(5, absl::CancelledError("x"));
  Fail(5, MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "429",
                    {{"http_status", "429"}}));
  Fail(5, MakeError(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT", "in line",
                    {{"asked", "false"}}));
  EXPECT_FALSE(IsOpen());
  EXPECT_THAT(script_.requests, SizeIs(25));
}

TEST_F(CircuitModelClientTest, ModelsHaveCircuitsOfTheirOwn) {
  Fail(3);
  Ask("openai:/other");
  EXPECT_THAT(script_.requests, SizeIs(4));
}

TEST_F(CircuitModelClientTest, OneProbeDecidesWhetherItCloses) {
  Fail(3);
  clock_.Advance(absl::Seconds(20));
  Ask();  // The probe, under way.
  EXPECT_THAT(script_.requests, SizeIs(4));
  EXPECT_THAT(*Ask(), HasReason("MODEL_UNREACHABLE"));
  script_.AnswerOpen(Unreachable());
  EXPECT_TRUE(IsOpen());
  Ask();
  EXPECT_THAT(script_.requests, SizeIs(4));
  clock_.Advance(absl::Seconds(20));
  script_.answers.emplace_back(ModelResponse{});
  Ask();
  EXPECT_THAT(client_.Open(10), IsEmpty());
  Ask();
  EXPECT_THAT(script_.requests, SizeIs(6));
}

TEST_F(CircuitModelClientTest, AProbeThatWasGivenUpIsFollowedByAnother) {
  Fail(3);
  clock_.Advance(absl::Seconds(20));
  script_.answers.emplace_back(absl::CancelledError("given up"));
  Ask();
  EXPECT_TRUE(IsOpen());
  Ask();
  EXPECT_THAT(script_.requests, SizeIs(5));
}

}  // namespace
}  // namespace assay::judge
