// Evaluations whose model is not asked for a while.
#include <atomic>
#include <string>

#include "common/status/errors.h"
#include "common/status/quota_errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/evaluation_fixture.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;

class WaitingRowsTest : public testing::Test {
 protected:
  WaitingRowsTest() {
    world_.models.SetResponder([this](const ModelRequest&) -> absl::StatusOr<ModelResponse> {
      if (away_) {
        return WithRetryAfter(
            MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE",
                      "fake:/default failed several times in a row", {{"circuit", "open"}}),
            absl::Milliseconds(1));
      }
      return FakeModelClient::TextResponse(R"({"rationale":"r","result":"good"})");
    });
    v1::CreateEvaluationRequest request;
    request.set_parent("experiments/e");
    v1::EvaluationJudge& judge = *request.mutable_spec()->add_judges();
    *judge.mutable_definition() = QualityJudge();
    judge.set_assessment_name("quality");
    for (int i = 0; i < 3; ++i) *request.add_rows() = RowOf(R"({"q":1})", "\"answer\"");
    name_ = process_.Create(request)->name();
  }

  // With what it waits for.
  v1::Evaluation WaitUntilWaiting() {
    return process_.WaitUntil(
        name_, [](const v1::Evaluation& evaluation) { return evaluation.has_error(); });
  }

  std::atomic<bool> away_ = true;
  EvaluationWorld world_;
  EvaluationProcess process_{world_};
  std::string name_;
};

TEST_F(WaitingRowsTest, RowsWaitForTheModelAndTheEvaluationSaysSo) {
  const v1::Evaluation waiting = WaitUntilWaiting();
  EXPECT_EQ(waiting.state(), v1::EVALUATION_STATE_RUNNING);
  EXPECT_EQ(waiting.error().code(), "MODEL_UNREACHABLE");
  EXPECT_THAT(waiting.error().message(), HasSubstr("several times in a row"));
  EXPECT_EQ(waiting.progress().rows_done(), 0);
  away_ = false;
  const v1::Evaluation ended = process_.WaitUntilEnded(name_);
  EXPECT_EQ(ended.progress().judgements_value(), 3);
  EXPECT_FALSE(ended.has_error());
}

TEST_F(WaitingRowsTest, AfterTheLimitTheyFailWithTheModelsError) {
  WaitUntilWaiting();
  world_.clock.Advance(absl::Minutes(11));
  const v1::Evaluation ended = process_.WaitUntilEnded(name_);
  EXPECT_EQ(ended.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(ended.progress().judgements_error(), 3);
  EXPECT_EQ(process_.Rows(name_).rows(0).results(0).feedback().error().code(), "MODEL_UNREACHABLE");
}

TEST_F(WaitingRowsTest, CancellingEndsTheWait) {
  WaitUntilWaiting();
  ASSERT_THAT(process_.Cancel(name_), IsOk());
  EXPECT_EQ(process_.WaitUntilEnded(name_).state(), v1::EVALUATION_STATE_CANCELLED);
}

}  // namespace
}  // namespace assay::judge
