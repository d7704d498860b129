#include "services/judge/core/calls/judge_calls.h"

#include <optional>
#include <string>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/evaluation_fixture.h"
#include "services/judge/testing/fake_model_client.h"
#include "services/judge/testing/fake_ports.h"
#include "services/judge/testing/in_memory_answers.h"

namespace assay::judge {
namespace {

const char kTrace[] = "experiments/e/traces/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

class JudgeCallsTest : public testing::Test {
 protected:
  JudgeCallsTest() {
    models_.SetResponder([](const ModelRequest&) {
      return FakeModelClient::TextResponse(R"({"rationale":"because","result":"good"})");
    });
    trace::v1::Trace trace;
    trace.set_name(kTrace);
    *trace.mutable_inputs() = json::JsonFromText("{\"q\":1}");
    *trace.mutable_outputs() = json::JsonFromText("\"from the trace\"");
    traces_.Put(trace);
  }

  static v1::JudgeRequest Request() {
    v1::JudgeRequest request;
    request.set_parent("experiments/e");
    *request.mutable_definition() = QualityJudge();
    *request.mutable_outputs() = json::JsonFromText("\"answer\"");
    return request;
  }

  absl::StatusOr<v1::JudgeResponse> Judge(const v1::JudgeRequest& request) {
    std::optional<absl::StatusOr<v1::JudgeResponse>> answer;
    calls_.Judge({}, request,
                 [&](absl::StatusOr<v1::JudgeResponse> response) { answer = std::move(response); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }

  FakeClock clock_;
  ManualExecutor executor_;
  InMemoryAnswers answers_{executor_, clock_};
  FakeModelClient models_{&executor_};
  FakeRegistry registry_{executor_};
  FakeTraces traces_{executor_};
  FakeFeedback feedback_{executor_};
  FakeScorers scorers_{executor_};
  JudgeRunner runner_{models_, scorers_, clock_, executor_, {.default_model = "fake:/default"}};
  JudgeResolver resolver_{registry_};
  RecordedCalls recorded_{answers_.store};
  JudgeCalls calls_{runner_, resolver_, traces_, feedback_, recorded_, executor_};
};

TEST_F(JudgeCallsTest, JudgesByADefinitionAndNamesTheFeedback) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::JudgeResponse response, Judge(Request()));
  EXPECT_EQ(response.assessment_name(), "feedback");
  EXPECT_EQ(response.feedback().value().json_text(), "\"good\"");
  EXPECT_EQ(response.source().id(), "fake:/default");
  EXPECT_TRUE(response.assessment().empty());
}

TEST_F(JudgeCallsTest, JudgesByARegisteredJudge) {
  const std::string revision = registry_.Add("quality", QualityJudge());
  v1::JudgeRequest request = Request();
  request.set_registered("experiments/e/judges/quality");
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::JudgeResponse response, Judge(request));
  EXPECT_EQ(response.assessment_name(), "quality");
  EXPECT_EQ(response.feedback().provenance().judge_revision(), revision);
  request.set_registered("experiments/e/judges/quality@nowhere");
  EXPECT_THAT(Judge(request), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JudgeCallsTest, ReadsWhatIsNotGivenFromTheTrace) {
  v1::JudgeRequest request = Request();
  request.clear_outputs();
  EXPECT_THAT(Judge(request), HasReason("MISSING_JUDGE_INPUT"));
  request.set_trace(kTrace);
  ASSERT_THAT(Judge(request), IsOk());
  EXPECT_NE(models_.requests().back().messages[1].text.find("from the trace"), std::string::npos);
}

TEST_F(JudgeCallsTest, AnUnknownTraceIsRefusedBeforeAModelIsPaid) {
  v1::JudgeRequest request = Request();
  *request.mutable_inputs() = json::JsonFromText("{}");
  request.set_trace("experiments/e/traces/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
  EXPECT_THAT(Judge(request), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(models_.requests().empty());
}

TEST_F(JudgeCallsTest, LogsOnTheTraceIfAsked) {
  v1::JudgeRequest request = Request();
  request.set_log_assessment(true);
  EXPECT_THAT(Judge(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_trace(kTrace);
  (*request.mutable_metadata())["suite"] = "nightly";
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::JudgeResponse response, Judge(request));
  ASSERT_EQ(feedback_.logged().size(), 1u);
  EXPECT_EQ(feedback_.logged()[0].name(), response.assessment());
  EXPECT_EQ(feedback_.logged()[0].feedback().value().json_text(), "\"good\"");
  EXPECT_EQ(feedback_.logged()[0].metadata().at("suite"), "nightly");
}

class JudgeSessionTest : public JudgeCallsTest {
 protected:
  JudgeSessionTest() {
    for (int i = 1; i <= 2; ++i) {
      trace::v1::Trace trace;
      trace.set_name(StrCat("experiments/e/traces/cccccccccccccccccccccccccccccc", 10 + i));
      trace.set_session("a b");
      *trace.mutable_inputs() = json::JsonFromText(StrCat("\"question ", i, "\""));
      *trace.mutable_outputs() = json::JsonFromText(StrCat("\"answer ", i, "\""));
      trace::v1::AssessmentDigest& expected = *trace.add_assessments();
      expected.set_assessment_name("tone");
      expected.set_expectation(true);
      expected.mutable_source()->set_kind(common::v1::SOURCE_KIND_HUMAN);
      *expected.mutable_value() = json::JsonFromText(StrCat("\"warm ", i, "\""));
      names_.push_back(trace.name());
      // The fake's session name is not escaped.
      trace.set_session("a%20b");
      traces_.Put(trace);
    }
    request_.set_parent("experiments/e");
    request_.set_session("experiments/e/sessions/a%20b");
    *request_.mutable_definition() = QualityJudge();
    request_.mutable_definition()->mutable_instructions()->set_instructions(
        "Rate {{ conversation }} by {{ expectations.tone }}");
  }

  v1::JudgeRequest request_;
  std::vector<std::string> names_;
};

TEST_F(JudgeSessionTest, JudgesTheConversationAndLogsOnItsFirstTrace) {
  request_.set_log_assessment(true);
  request_.set_request_id("s1");
  for (int i = 0; i < 2; ++i) {
    ASSAY_ASSERT_OK_AND_ASSIGN(const v1::JudgeResponse response, Judge(request_));
    EXPECT_EQ(response.metadata().at("assay.session"), "a b");
    ASSERT_EQ(feedback_.logged().size(), 1u);
    EXPECT_EQ(feedback_.logged()[0].target().trace(), names_[0]);
    EXPECT_EQ(feedback_.logged()[0].metadata().at("assay.session"), "a b");
  }
  ASSERT_EQ(models_.requests().size(), 1u);
  const std::string prompt = models_.requests()[0].messages[1].text;
  EXPECT_LT(prompt.find("answer 1"), prompt.find("question 2"));
  EXPECT_NE(prompt.find("warm 1"), std::string::npos);
  EXPECT_EQ(prompt.find("warm 2"), std::string::npos);
}

TEST_F(JudgeSessionTest, RefusesWhatDoesNotGoTogether) {
  request_.set_trace(kTrace);
  EXPECT_THAT(Judge(request_), HasFieldViolation("trace"));
  request_.clear_trace();
  *request_.mutable_inputs() = json::JsonFromText("1");
  EXPECT_THAT(Judge(request_), HasFieldViolation("inputs"));
  request_.clear_inputs();
  request_.set_session("experiments/other/sessions/a");
  EXPECT_THAT(Judge(request_), HasFieldViolation("session"));
  request_.set_session("sessions/a");
  EXPECT_THAT(Judge(request_), HasReason("INVALID_NAME"));
  request_.set_session("experiments/e/sessions/none");
  EXPECT_THAT(Judge(request_), StatusIs(absl::StatusCode::kNotFound));
  request_.clear_session();
  EXPECT_THAT(Judge(request_), HasFieldViolation("session"));
  EXPECT_TRUE(models_.requests().empty());
}

TEST_F(JudgeCallsTest, ARepeatedRequestPaysAndLogsOnce) {
  v1::JudgeRequest request = Request();
  request.set_request_id("r1");
  request.set_log_assessment(true);
  request.set_trace(kTrace);
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::JudgeResponse first, Judge(request));
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::JudgeResponse second, Judge(request));
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(models_.requests().size(), 1u);
  EXPECT_EQ(feedback_.logged().size(), 1u);
  *request.mutable_outputs() = json::JsonFromText("\"other\"");
  EXPECT_THAT(Judge(request), HasReason("REQUEST_ID_REUSED"));
}

// The feedback service went away after the model was paid.
TEST_F(JudgeCallsTest, AVerdictThatCouldNotBeLoggedIsNotPaidAgain) {
  v1::JudgeRequest request = Request();
  request.set_request_id("r1");
  request.set_log_assessment(true);
  request.set_trace(kTrace);
  feedback_.outage.Set(absl::UnavailableError("away"), 1);
  EXPECT_THAT(Judge(request), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Judge(request), IsOk());
  EXPECT_EQ(models_.requests().size(), 1u);
  EXPECT_EQ(feedback_.logged().size(), 1u);
}

TEST_F(JudgeCallsTest, AFailureThatCostNothingIsTriedAgainUnderTheSameId) {
  models_.AddResponse(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "away"));
  v1::JudgeRequest request = Request();
  request.set_request_id("r1");
  request.set_log_assessment(true);
  request.set_trace(kTrace);
  EXPECT_EQ(Judge(request)->feedback().error().code(), "MODEL_UNREACHABLE");
  EXPECT_EQ(Judge(request)->feedback().outcome(), common::v1::OUTCOME_VALUE);
  EXPECT_EQ(feedback_.logged().size(), 2u);
}

TEST_F(JudgeCallsTest, RefusesBadRequestsAndNamesTheField) {
  const struct {
    const char* field;
    std::function<void(v1::JudgeRequest*)> change;
  } cases[] = {
      {"parent", [](auto* r) { r->set_parent("support"); }},
      {"judge", [](auto* r) { r->clear_definition(); }},
      {"registered", [](auto* r) { r->set_registered("judges/x"); }},
      {"trace", [](auto* r) { r->set_trace("traces/1"); }},
      {"trace", [](auto* r) { r->set_trace("experiments/x/traces/" + std::string(32, 'a')); }},
      {"inputs", [](auto* r) { *r->mutable_inputs() = json::JsonFromText("{"); }},
      {"expectations", [](auto* r) { *r->mutable_expectations() = json::JsonFromText("[1]"); }},
      {"definition.instructions.instructions",
       [](auto* r) {
         r->mutable_definition()->mutable_instructions()->set_instructions("{{ reply }}");
       }},
      {"assessment_name", [](auto* r) { r->set_assessment_name(std::string(251, 'x')); }},
      {"metadata[k]", [](auto* r) { (*r->mutable_metadata())["k"] = std::string(4'097, 'x'); }},
  };
  for (const auto& one : cases) {
    v1::JudgeRequest request = Request();
    one.change(&request);
    const auto answer = Judge(request);
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kInvalidArgument)) << one.field;
    const auto violations = FieldViolations(answer.status());
    ASSERT_FALSE(violations.empty()) << one.field;
    EXPECT_EQ(violations[0].field, one.field);
  }
  EXPECT_TRUE(models_.requests().empty());
}

}  // namespace
}  // namespace assay::judge
