// Evaluations that scorers create while they answer.
#include <string>

#include "common/exec/await.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"
#include "services/judge/testing/evaluation_fixture.h"

namespace assay::judge {
namespace {

class NestedEvaluationsTest : public testing::Test {
 protected:
  NestedEvaluationsTest() {
    world_.scorers.responder = [](const v1::ScoreRequest&) {
      v1::ScoreResponse response;
      *response.add_feedbacks()->mutable_feedback()->mutable_value() = json::JsonFromText("1");
      return response;
    };
  }

  static CallContext Nested(int depth) {
    CallContext context;
    context.depth = depth;
    context.experiment = "experiments/outer";
    return context;
  }

  absl::StatusOr<v1::Evaluation> Create(const CallContext& context, const std::string& parent,
                                        const std::string& id, bool rows_open = false) {
    v1::CreateEvaluationRequest request;
    request.set_parent(parent);
    request.set_evaluation_id(id);
    v1::Scorer& scorer = *request.mutable_spec()->add_scorers();
    scorer.set_scorer("polite");
    scorer.set_address("127.0.0.1:1");
    *request.add_rows() = RowOf(R"({"q":1})", "\"answer\"");
    request.set_rows_open(rows_open);
    auto response =
        Await<v1::CreateEvaluationResponse>([&](Done<v1::CreateEvaluationResponse> done) {
          process_.evaluations().Create(context, request, std::move(done));
        });
    if (!response.ok()) return response.status();
    return response->evaluation();
  }

  absl::Status Append(const CallContext& context, const std::string& name) {
    v1::AppendEvaluationRowsRequest request;
    request.set_name(name);
    *request.add_rows() = RowOf(R"({"q":2})", "\"answer\"");
    return Await<v1::AppendEvaluationRowsResponse>(
               [&](Done<v1::AppendEvaluationRowsResponse> done) {
                 process_.evaluations().AppendRows(context, request, std::move(done));
               })
        .status();
  }

  EvaluationWorld world_;
  EvaluationProcess process_{world_};
};

TEST_F(NestedEvaluationsTest, StaysInTheExperimentThatPays) {
  EXPECT_THAT(Create(Nested(1), "experiments/other", "a"), HasReason("NESTED_EXPERIMENT_MISMATCH"));
  EXPECT_THAT(Create(Nested(1), "experiments/other", "a"), HasFieldViolation("parent"));
  EXPECT_THAT(Create(Nested(1), "experiments/outer", "a"), IsOk());
}

TEST_F(NestedEvaluationsTest, ItsScorersAreAskedAsDeepAsItWasCreated) {
  const absl::StatusOr<v1::Evaluation> created = Create(Nested(3), "experiments/outer", "deep");
  ASSERT_THAT(created, IsOk());
  process_.WaitUntilEnded(created->name());
  EXPECT_EQ(world_.scorers.depth, 3);
  EXPECT_TRUE(process_.Rows(created->name()).rows(0).results(0).feedback().has_provenance());
}

TEST_F(NestedEvaluationsTest, NobodyFeedsTheEvaluationThatAsksHim) {
  const absl::StatusOr<v1::Evaluation> outer =
      Create({}, "experiments/outer", "outer", /*rows_open=*/true);
  ASSERT_THAT(outer, IsOk());
  EXPECT_THAT(Append(Nested(1), outer->name()), HasReason("NESTED_EVALUATION_MISMATCH"));
  const absl::StatusOr<v1::Evaluation> own =
      Create(Nested(1), "experiments/outer", "own", /*rows_open=*/true);
  ASSERT_THAT(own, IsOk());
  EXPECT_OK(Append(Nested(1), own->name()));
  CallContext stray = Nested(1);
  stray.experiment = "experiments/other";
  EXPECT_THAT(Append(stray, own->name()), HasReason("NESTED_EXPERIMENT_MISMATCH"));
}

}  // namespace
}  // namespace assay::judge
