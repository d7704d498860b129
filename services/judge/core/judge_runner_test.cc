#include "services/judge/core/judge_runner.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/fake_model_client.h"
#include "services/judge/testing/fake_ports.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;

class JudgeRunnerTest : public testing::Test {
 protected:
  JudgeRunnerTest() {
    auto definition = std::make_shared<registry::v1::JudgeDefinition>();
    definition->mutable_instructions()->set_instructions("Rate {{ outputs }}");
    definition->mutable_value_type()->mutable_category_type()->add_categories("good");
    definition->mutable_value_type()->mutable_category_type()->add_categories("bad");
    (*definition->mutable_inference_parameters()->mutable_fields())["temperature"].set_number_value(
        0.5);
    definition_ = definition;
    judge_ = {definition, "experiments/e/judges/j/revisions/1", "quality"};
    subject_.outputs = "\"hello\"";
  }

  absl::StatusOr<JudgeVerdict> Run(std::string key = "key") {
    JudgeRunner runner(models_, scorers_, clock_, executor_, {.default_model = "fake:/default"});
    std::optional<absl::StatusOr<JudgeVerdict>> answer;
    runner.Run(judge_, subject_, context_, {.idempotency_key = std::move(key)},
               [&](absl::StatusOr<JudgeVerdict> verdict) { answer = std::move(verdict); });
    EXPECT_FALSE(answer.has_value()) << "answered inline";
    executor_.RunAll();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }

  ManualExecutor executor_;
  FakeClock clock_;
  FakeModelClient models_{&executor_};
  FakeScorers scorers_{executor_};
  std::shared_ptr<registry::v1::JudgeDefinition> definition_;
  ResolvedJudge judge_;
  Subject subject_;
  CallContext context_;
};

TEST_F(JudgeRunnerTest, ReturnsAValueWithItsProvenance) {
  models_.SetResponder([&](const ModelRequest&) {
    clock_.Advance(absl::Milliseconds(120));
    return FakeModelClient::TextResponse(R"({"rationale":"kind","result":"good"})");
  });
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, Run());
  EXPECT_EQ(verdict.feedback.outcome(), common::v1::OUTCOME_VALUE);
  EXPECT_EQ(verdict.feedback.value().json_text(), "\"good\"");
  EXPECT_EQ(verdict.feedback.rationale(), "kind");
  EXPECT_EQ(verdict.source.kind(), common::v1::SOURCE_KIND_LLM_JUDGE);
  EXPECT_EQ(verdict.source.id(), "fake:/default");
  const common::v1::Provenance& provenance = verdict.feedback.provenance();
  EXPECT_EQ(provenance.judge_revision(), "experiments/e/judges/j/revisions/1");
  EXPECT_EQ(provenance.model(), "fake:/default");
  EXPECT_EQ(provenance.answered_by(), "fake-1");
  EXPECT_EQ(provenance.prompt_sha256().size(), 64u);
  EXPECT_EQ(provenance.usage().input_tokens(), 10);
  EXPECT_EQ(provenance.usage().output_tokens(), 5);
  EXPECT_EQ(provenance.attempts(), 1);
  EXPECT_FALSE(provenance.repaired());
  EXPECT_EQ(provenance.latency_ms(), 120);
}

TEST_F(JudgeRunnerTest, PassesModelParametersSchemaAndKeyOn) {
  definition_->set_model("openai:/gpt-x");
  models_.AddText(R"({"result":"good"})");
  ASSERT_OK(Run("request-7"));
  const ModelRequest request = models_.requests().at(0);
  EXPECT_EQ(request.model_uri, "openai:/gpt-x");
  EXPECT_EQ(request.parameters.at("temperature"), 0.5);
  EXPECT_THAT(request.response_schema, HasSubstr(R"("enum":["good","bad"])"));
  EXPECT_EQ(request.idempotency_key, "request-7");
}

TEST_F(JudgeRunnerTest, RepairsOnceAndShowsTheModelItsAnswer) {
  models_.AddText("I think it is fine.");
  models_.AddText(R"({"rationale":"r","result":"bad"})");
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, Run());
  EXPECT_EQ(verdict.feedback.value().json_text(), "\"bad\"");
  EXPECT_TRUE(verdict.feedback.provenance().repaired());
  EXPECT_EQ(verdict.feedback.provenance().attempts(), 2);
  EXPECT_EQ(verdict.feedback.provenance().usage().input_tokens(), 20);
  const ModelRequest repair = models_.requests().at(1);
  ASSERT_EQ(repair.messages.size(), 4u);
  EXPECT_EQ(repair.messages[2].text, "I think it is fine.");
  EXPECT_EQ(repair.idempotency_key, "key/repair");
}

TEST_F(JudgeRunnerTest, EndsAsErrorWhenTheRepairFailsToo) {
  const struct {
    const char* answer;
    bool truncated;
    const char* code;
  } cases[] = {{"no json", false, "ANSWER_UNREADABLE"},
               {R"({"result":"fine"})", false, "VALUE_OUTSIDE_TYPE"},
               {R"({"rationale":"and)", true, "ANSWER_TRUNCATED"}};
  for (const auto& c : cases) {
    models_.AddText(c.answer, c.truncated);
    models_.AddText(c.answer, c.truncated);
    ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, Run());
    EXPECT_EQ(verdict.feedback.outcome(), common::v1::OUTCOME_ERROR);
    EXPECT_EQ(verdict.feedback.error().code(), c.code);
    EXPECT_FALSE(verdict.feedback.has_value());
    EXPECT_TRUE(verdict.feedback.provenance().repaired());
  }
}

TEST_F(JudgeRunnerTest, TurnsModelErrorsIntoErrorFeedback) {
  const std::pair<absl::StatusCode, const char*> cases[] = {
      {absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE"},
      {absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT"},
      {absl::StatusCode::kInvalidArgument, "MODEL_REFUSED"},
      {absl::StatusCode::kResourceExhausted, "MODEL_QUOTA_EXHAUSTED"},
  };
  for (const auto& [status_code, reason] : cases) {
    models_.AddResponse(MakeError(status_code, reason, "went wrong", {{"attempts", "5"}}));
    ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, Run());
    EXPECT_EQ(verdict.feedback.error().code(), reason);
    EXPECT_EQ(verdict.feedback.error().message(), "went wrong");
    EXPECT_EQ(verdict.feedback.provenance().attempts(), 5);
  }
  models_.AddResponse(absl::InternalError("bug"));
  EXPECT_EQ(Run()->feedback.error().code(), "MODEL_FAILED");
}

TEST_F(JudgeRunnerTest, KeepsTheCallersErrorsErrorsOfTheCall) {
  models_.AddResponse(
      MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED", "no key"));
  EXPECT_THAT(Run(), HasReason("MODEL_NOT_CONFIGURED"));
  models_.AddResponse(absl::CancelledError());
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(JudgeRunnerTest, RefusesAJudgeWithoutModelWhenThereIsNoDefault) {
  JudgeRunner runner(models_, scorers_, clock_, executor_, {});
  absl::StatusOr<JudgeVerdict> answer = absl::InternalError("no answer");
  runner.Run(judge_, subject_, context_, {}, [&](auto verdict) { answer = std::move(verdict); });
  executor_.RunAll();
  EXPECT_THAT(answer, HasReason("MODEL_NOT_CONFIGURED"));
}

TEST_F(JudgeRunnerTest, RefusesMissingInputBeforeAskingAnyModel) {
  subject_.outputs.reset();
  const auto verdict = Run();
  EXPECT_THAT(verdict, HasReason("MISSING_JUDGE_INPUT"));
  EXPECT_THAT(verdict, HasFieldViolation("outputs"));
  EXPECT_TRUE(models_.requests().empty());
}

TEST_F(JudgeRunnerTest, AsksNoModelAfterCancellationOrDeadline) {
  context_.deadline = clock_.Now() - absl::Seconds(1);
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  context_ = {};
  context_.cancel = std::make_shared<CancellationToken>();
  context_.cancel->Cancel();
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(models_.requests().empty());
}

TEST_F(JudgeRunnerTest, DoesNotRepairAfterTheDeadline) {
  context_.deadline = clock_.Now() + absl::Seconds(1);
  models_.SetResponder([&](const ModelRequest&) {
    clock_.Advance(absl::Seconds(2));
    return FakeModelClient::TextResponse("no json");
  });
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(models_.requests().size(), 1u);
}

}  // namespace
}  // namespace assay::judge
