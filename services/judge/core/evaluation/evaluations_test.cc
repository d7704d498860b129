#include "services/judge/core/evaluation/evaluations.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/evaluation_fixture.h"

namespace assay::judge {
namespace {

using testing::HasSubstr;

constexpr char kName[] = "experiments/e/evaluations/run-1";

class EvaluationsTest : public testing::Test {
 protected:
  EvaluationsTest() { process_ = std::make_unique<EvaluationProcess>(world_); }

  // One judge `quality` over `rows` rows with outputs.
  static v1::CreateEvaluationRequest Request(int rows) {
    v1::CreateEvaluationRequest request;
    request.set_parent("experiments/e");
    request.set_evaluation_id("run-1");
    v1::EvaluationJudge& judge = *request.mutable_spec()->add_judges();
    *judge.mutable_definition() = QualityJudge();
    judge.set_assessment_name("quality");
    for (int i = 0; i < rows; ++i) {
      *request.add_rows() = RowOf("{\"q\":" + std::to_string(i) + "}", "\"answer\"");
    }
    return request;
  }

  // The same rows, answered by an application.
  static v1::CreateEvaluationRequest PredictedRequest(int rows) {
    v1::CreateEvaluationRequest request = Request(rows);
    request.mutable_spec()->mutable_predictor()->set_address("127.0.0.1:1");
    for (v1::EvaluationRow& row : *request.mutable_rows()) row.clear_outputs();
    return request;
  }

  static absl::StatusOr<v1::PredictResponse> Prediction(const std::string& outputs) {
    v1::PredictResponse response;
    *response.mutable_outputs() = json::JsonFromText(outputs);
    return response;
  }

  v1::Evaluation Run(const v1::CreateEvaluationRequest& request) {
    const absl::StatusOr<v1::Evaluation> created = process_->Create(request);
    EXPECT_THAT(created, IsOk());
    return created.ok() ? process_->WaitUntilEnded(created->name()) : v1::Evaluation();
  }

  static absl::StatusOr<ModelResponse> Verdict(const std::string& value) {
    return FakeModelClient::TextResponse(R"({"rationale":"r","result":")" + value + R"("})");
  }

  EvaluationWorld world_;
  std::unique_ptr<EvaluationProcess> process_;
};

TEST_F(EvaluationsTest, JudgesEveryRowLogsAndSumsUp) {
  std::atomic<int> asked = 0;
  world_.models.SetResponder(
      [&](const ModelRequest&) { return Verdict(asked++ == 0 ? "poor" : "good"); });
  const v1::Evaluation evaluation = Run(Request(4));
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().rows_done(), 4);
  EXPECT_EQ(evaluation.progress().judgements_total(), 4);
  EXPECT_EQ(evaluation.progress().judgements_value(), 4);
  EXPECT_EQ(evaluation.usage().input_tokens(), 40);
  ASSERT_EQ(evaluation.summaries_size(), 1);
  const v1::AssessmentSummary& summary = evaluation.summaries(0);
  EXPECT_EQ(summary.category_counts().at("good"), 3);
  EXPECT_EQ(summary.category_counts().at("fair"), 0);
  EXPECT_FALSE(summary.has_mean());
  EXPECT_DOUBLE_EQ(summary.mean_rank(), 1.5);
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("quality/share/good"), 0.75);
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("quality/share/fair"), 0);

  const auto rows = process_->Rows(kName);
  ASSERT_EQ(rows.rows_size(), 4);
  EXPECT_EQ(rows.rows(2).inputs().json_text(), "{\"q\":2}");
  EXPECT_EQ(rows.rows(2).outputs().json_text(), "\"answer\"");
  EXPECT_TRUE(rows.rows(2).done());
  ASSERT_EQ(rows.rows(2).results_size(), 1);
  const auto logged = world_.feedback.logged();
  ASSERT_EQ(logged.size(), 4u);
  EXPECT_EQ(logged[0].evaluation(), kName);
  EXPECT_EQ(logged[0].source().kind(), common::v1::SOURCE_KIND_LLM_JUDGE);
  EXPECT_THAT(rows.rows(2).results(0).assessment(), HasSubstr("/assessments/"));
  // The row's trace has one span with inputs and outputs.
  const auto written = world_.traces.written();
  ASSERT_EQ(written.size(), 4u);
  const std::string id = rows.rows(2).trace().substr(std::string("experiments/e/traces/").size());
  EXPECT_EQ(written.at(id).inputs, "{\"q\":2}");
  EXPECT_EQ(written.at(id).evaluation, kName);
}

TEST_F(EvaluationsTest, AsksTheApplicationWithTheRowsTrace) {
  std::atomic<int> wrong = 0;
  world_.predictors.responder = [&](const v1::PredictRequest& request,
                                    const std::string& traceparent) {
    if (traceparent.find("00-" + request.trace_id() + "-") != 0) ++wrong;
    return Prediction("{\"text\":\"hello\"}");
  };
  const v1::Evaluation evaluation = Run(PredictedRequest(3));
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().judgements_value(), 3);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(world_.traces.preregistered().size(), 3u);
  EXPECT_EQ(process_->Rows(kName).rows(0).outputs().json_text(), "{\"text\":\"hello\"}");
}

TEST_F(EvaluationsTest, AFailingApplicationSkipsItsRowAndNothingElse) {
  world_.predictors.responder = [&](const v1::PredictRequest& request,
                                    const std::string&) -> absl::StatusOr<v1::PredictResponse> {
    if (request.inputs().json_text() == "{\"q\":1}") {
      return MakeError(absl::StatusCode::kDeadlineExceeded, "PREDICTOR_TIMEOUT", "too slow");
    }
    if (request.inputs().json_text() == "{\"q\":2}") return v1::PredictResponse();
    return Prediction("\"fine\"");
  };
  const v1::Evaluation evaluation = Run(PredictedRequest(4));
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().rows_failed(), 2);
  EXPECT_EQ(evaluation.progress().judgements_value(), 2);
  EXPECT_EQ(evaluation.progress().judgements_skipped(), 2);
  const auto rows = process_->Rows(kName);
  EXPECT_EQ(rows.rows(1).predict_error().code(), "PREDICTOR_TIMEOUT");
  EXPECT_EQ(rows.rows(2).predict_error().code(), "PREDICTOR_INVALID_RESPONSE");
  EXPECT_EQ(rows.rows(1).results(0).feedback().outcome(), common::v1::OUTCOME_SKIPPED);
  EXPECT_EQ(rows.rows(1).results(0).feedback().error().code(), "NO_OUTPUTS");
  EXPECT_EQ(world_.models.requests().size(), 2u);
}

TEST_F(EvaluationsTest, AnUnreachableModelIsAnErrorOfItsRows) {
  world_.models.SetResponder([](const ModelRequest&) -> absl::StatusOr<ModelResponse> {
    return MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "away",
                     {{"attempts", "5"}});
  });
  const v1::Evaluation evaluation = Run(Request(2));
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().judgements_error(), 2);
  EXPECT_EQ(process_->Rows(kName).rows(0).results(0).feedback().error().code(),
            "MODEL_UNREACHABLE");
  EXPECT_TRUE(evaluation.metrics().empty());
}

TEST_F(EvaluationsTest, ARefusedTraceIsAnErrorOfItsRowAlone) {
  world_.traces.Refuse("{\"q\":1}");
  const v1::Evaluation evaluation = Run(Request(4));
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().judgements_value(), 3);
  EXPECT_EQ(evaluation.progress().judgements_skipped(), 1);
  EXPECT_EQ(process_->Rows(kName).rows(1).predict_error().code(), "SPAN_REJECTED");
  EXPECT_EQ(world_.feedback.logged().size(), 3u);
}

TEST_F(EvaluationsTest, AMissingJudgeInputIsAnErrorOfItsRow) {
  v1::CreateEvaluationRequest request = Request(1);
  request.mutable_rows(0)->clear_outputs();
  const v1::Evaluation evaluation = Run(request);
  EXPECT_EQ(evaluation.progress().judgements_error(), 1);
  EXPECT_EQ(process_->Rows(kName).rows(0).results(0).feedback().error().code(),
            "MISSING_JUDGE_INPUT");
}

TEST_F(EvaluationsTest, ScorersGiveSeveralFeedbacks) {
  world_.scorers.responder = [](const v1::ScoreRequest& request) {
    v1::ScoreResponse response;
    for (const char* name : {"tone", "structure"}) {
      v1::ScorerFeedback& feedback = *response.add_feedbacks();
      feedback.set_assessment_name(name);
      *feedback.mutable_feedback()->mutable_value() =
          json::JsonFromText(std::string(name) == "tone" ? "true" : "0.25");
    }
    return response;
  };
  v1::CreateEvaluationRequest request = Request(2);
  v1::Scorer& scorer = *request.mutable_spec()->add_scorers();
  scorer.set_scorer("check_guidelines");
  scorer.set_address("127.0.0.1:1");
  const v1::Evaluation evaluation = Run(request);
  EXPECT_EQ(evaluation.progress().judgements_total(), 4);
  EXPECT_EQ(evaluation.progress().judgements_value(), 4);
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("tone/mean"), 1.0);
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("structure/mean"), 0.25);
  EXPECT_EQ(world_.feedback.logged().size(), 6u);
}

TEST_F(EvaluationsTest, AScorerThatLiesIsAnErrorUnderItsName) {
  world_.scorers.responder = [](const v1::ScoreRequest&) {
    v1::ScoreResponse response;
    response.add_feedbacks()->mutable_feedback()->set_rationale("neither value nor error");
    return response;
  };
  v1::CreateEvaluationRequest request = Request(1);
  v1::Scorer& scorer = *request.mutable_spec()->add_scorers();
  scorer.set_scorer("liar");
  scorer.set_address("127.0.0.1:1");
  const v1::Evaluation evaluation = Run(request);
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().judgements_error(), 1);
  const v1::EvaluationResult result = process_->Rows(kName).rows(0).results(1);
  EXPECT_EQ(result.assessment_name(), "liar");
  EXPECT_EQ(result.feedback().error().code(), "SCORER_INVALID_RESPONSE");
}

TEST_F(EvaluationsTest, RowsOfTracesTakeWhatTheRootSpanHas) {
  const std::string id(32, 'a');
  trace::v1::Trace trace;
  trace.set_name("experiments/e/traces/" + id);
  *trace.mutable_inputs() = json::JsonFromText("{\"q\":\"from the trace\"}");
  *trace.mutable_outputs() = json::JsonFromText("\"answer\"");
  world_.traces.Put(trace);
  v1::CreateEvaluationRequest request = Request(0);
  request.add_rows()->set_trace(trace.name());
  request.add_rows()->set_trace("experiments/e/traces/" + std::string(32, 'b'));
  const v1::Evaluation evaluation = Run(request);
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().judgements_value(), 1);
  EXPECT_EQ(evaluation.progress().judgements_skipped(), 1);
  const auto rows = process_->Rows(kName);
  EXPECT_EQ(rows.rows(0).inputs().json_text(), "{\"q\":\"from the trace\"}");
  EXPECT_EQ(rows.rows(1).predict_error().code(), "TRACE_NOT_FOUND");
  ASSERT_EQ(world_.feedback.logged().size(), 1u);
  EXPECT_EQ(world_.feedback.logged()[0].target().trace(), trace.name());
  EXPECT_TRUE(world_.traces.written().empty());
}

TEST_F(EvaluationsTest, TheApplicationsOwnRootSpanIsLeftAlone) {
  v1::CreateEvaluationRequest request = PredictedRequest(1);
  request.mutable_spec()->mutable_predictor()->mutable_trace_wait()->set_seconds(5);
  world_.predictors.responder = [&](const v1::PredictRequest& request, const std::string&) {
    trace::v1::Trace trace;
    trace.set_name("experiments/e/traces/" + request.trace_id());
    trace.set_state(trace::v1::TRACE_STATE_IN_PROGRESS);
    trace.set_root_ended(true);
    world_.traces.Put(trace);
    return Prediction("\"fine\"");
  };
  EXPECT_EQ(Run(request).progress().judgements_value(), 1);
  EXPECT_TRUE(world_.traces.written().empty());
}

TEST_F(EvaluationsTest, ARootSpanIsAddedAboveTheApplicationsSpans) {
  v1::CreateEvaluationRequest request = PredictedRequest(1);
  request.mutable_spec()->mutable_predictor()->mutable_trace_wait()->set_seconds(5);
  world_.predictors.responder = [&](const v1::PredictRequest& request,
                                    const std::string& traceparent) {
    trace::v1::Trace trace;
    trace.set_name("experiments/e/traces/" + request.trace_id());
    trace.set_state(trace::v1::TRACE_STATE_IN_PROGRESS);
    trace.add_spans()->set_parent_span_id(traceparent.substr(36, 16));
    world_.traces.Put(trace);
    return Prediction("\"fine\"");
  };
  EXPECT_EQ(Run(request).progress().judgements_value(), 1);
  EXPECT_EQ(world_.traces.written().size(), 1u);
}

TEST_F(EvaluationsTest, RowsMayComeWhileItRuns) {
  v1::CreateEvaluationRequest request = Request(1);
  request.set_rows_open(true);
  ASSERT_THAT(process_->Create(request), IsOk());
  process_->WaitUntil(kName, [](const v1::Evaluation& evaluation) {
    return evaluation.progress().rows_done() == 1;
  });
  EXPECT_EQ(process_->Get(kName).state(), v1::EVALUATION_STATE_RUNNING);
  v1::AppendEvaluationRowsRequest append;
  append.set_name(kName);
  *append.add_rows() = RowOf("{}", "1");
  EXPECT_THAT(process_->Append(append), IsOkAndHolds(2));
  process_->WaitUntil(kName, [](const v1::Evaluation& evaluation) {
    return evaluation.progress().rows_done() == 2;
  });
  append.set_last(true);
  EXPECT_THAT(process_->Append(append), IsOkAndHolds(3));
  const v1::Evaluation ended = process_->WaitUntilEnded(kName);
  EXPECT_EQ(ended.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(ended.progress().rows_done(), 3);
  EXPECT_THAT(process_->Append(append), HasReason("ROWS_CLOSED"));
}

TEST_F(EvaluationsTest, AnAliasIsResolvedOnce) {
  const std::string first = world_.registry.Add("quality", QualityJudge());
  v1::CreateEvaluationRequest request = Request(1);
  request.mutable_spec()->mutable_judges(0)->set_registered("experiments/e/judges/quality@latest");
  const v1::Evaluation evaluation = Run(request);
  EXPECT_EQ(evaluation.spec().judges(0).registered(), first);
  EXPECT_EQ(process_->Rows(kName).rows(0).results(0).feedback().provenance().judge_revision(),
            first);
}

TEST_F(EvaluationsTest, RefusesUnknownJudgesAndModelsWithoutCredentials) {
  v1::CreateEvaluationRequest request = Request(1);
  request.mutable_spec()->mutable_judges(0)->set_registered("experiments/e/judges/nobody");
  EXPECT_THAT(process_->Create(request), StatusIs(absl::StatusCode::kNotFound));
  request = Request(1);
  request.mutable_spec()->mutable_judges(0)->mutable_definition()->set_model("openai:/unset");
  EXPECT_THAT(process_->Create(request), HasReason("MODEL_NOT_CONFIGURED"));
  EXPECT_THAT(process_->store().ListRunning(), IsOkAndHolds(testing::IsEmpty()));
}

TEST_F(EvaluationsTest, ARepeatedCreationIsOneEvaluation) {
  v1::CreateEvaluationRequest request = Request(1);
  request.clear_evaluation_id();
  request.set_request_id("r1");
  const absl::StatusOr<v1::Evaluation> first = process_->Create(request);
  const absl::StatusOr<v1::Evaluation> second = process_->Create(request);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->name(), second->name());
  *request.add_rows() = RowOf("{}", "1");
  EXPECT_THAT(process_->Create(request), HasReason("REQUEST_ID_REUSED"));
  EXPECT_THAT(process_->Create(Request(1)), IsOk());
  EXPECT_THAT(process_->Create(Request(1)), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(EvaluationsTest, CancellingKeepsWhatIsDone) {
  Notification third_row;
  Notification go_on;
  std::atomic<int> asked = 0;
  world_.models.SetResponder([&](const ModelRequest&) {
    if (asked++ == 2) {
      third_row.Notify();
      go_on.Wait();
    }
    return Verdict("good");
  });
  v1::CreateEvaluationRequest request = Request(50);
  request.mutable_spec()->set_parallelism(1);
  ASSERT_THAT(process_->Create(request), IsOk());
  third_row.Wait();
  process_->WaitUntil(kName, [](const v1::Evaluation& evaluation) {
    return evaluation.progress().rows_done() == 2;
  });
  const absl::StatusOr<v1::Evaluation> cancelled = process_->Cancel(kName);
  go_on.Notify();
  ASSERT_THAT(cancelled, IsOk());
  EXPECT_EQ(cancelled->state(), v1::EVALUATION_STATE_CANCELLED);
  EXPECT_EQ(cancelled->progress().rows_done(), 2);
  process_->jobs().Stop();
  EXPECT_EQ(process_->Get(kName).progress().rows_done(), 2);
  EXPECT_EQ(process_->Cancel(kName)->state(), v1::EVALUATION_STATE_CANCELLED);
  EXPECT_EQ(asked, 3);
}

TEST_F(EvaluationsTest, NoMoreRowsAskAtATimeThanWereAskedFor) {
  Notification two_ask;
  std::atomic<int> asked = 0;
  std::atomic<int> asking = 0;
  std::atomic<int> most = 0;
  world_.models.SetResponder([&](const ModelRequest&) {
    const int now = ++asking;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    if (++asked == 2) two_ask.Notify();
    two_ask.Wait();
    --asking;
    return Verdict("good");
  });
  v1::CreateEvaluationRequest request = Request(30);
  request.mutable_spec()->set_parallelism(2);
  EXPECT_EQ(Run(request).progress().rows_done(), 30);
  EXPECT_EQ(most, 2);
}

TEST_F(EvaluationsTest, ARowAsksWhileThoseBeforeAreLogged) {
  Notification third_row;
  std::atomic<int> asked = 0;
  world_.models.SetResponder([&](const ModelRequest&) {
    if (++asked == 3) third_row.Notify();
    return Verdict("good");
  });
  world_.feedback.rule = [&](const std::vector<feedback::v1::Assessment>&) {
    third_row.Wait();
    return absl::OkStatus();
  };
  v1::CreateEvaluationRequest request = Request(3);
  request.mutable_spec()->set_parallelism(2);
  EXPECT_EQ(Run(request).progress().rows_done(), 3);
}

TEST_F(EvaluationsTest, OneAtATimeRowsGoInTheirOrder) {
  std::atomic<int> asked = 0;
  std::atomic<bool> in_order = true;
  world_.predictors.responder = [&](const v1::PredictRequest& request, const std::string&) {
    const std::string number = std::to_string(asked++);
    if (request.inputs().json_text() != R"({"q":)" + number + "}") in_order = false;
    return Prediction("\"fine\"");
  };
  v1::CreateEvaluationRequest request = PredictedRequest(20);
  request.mutable_spec()->set_parallelism(1);
  EXPECT_EQ(Run(request).progress().rows_done(), 20);
  EXPECT_TRUE(in_order);
}

// The process ends in the middle; the next one goes on. No answer is asked for twice.
TEST_F(EvaluationsTest, ResumesWithoutAskingAgain) {
  std::atomic<int> asked = 0;
  std::atomic<int> predicted = 0;
  std::atomic<bool> first_life = true;
  Notification middle;
  world_.predictors.responder = [&](const v1::PredictRequest&, const std::string&) {
    ++predicted;
    return Prediction("\"fine\"");
  };
  // From the twelfth question on, the first process has its answers when it is told to end.
  world_.models.SetResponder([&](const ModelRequest&, const CallContext& context) {
    const int number = ++asked;
    if (number == 12) middle.Notify();
    if (number >= 12 && first_life) {
      Notification told_to_end;
      const auto told = context.cancel->OnCancel([&] { told_to_end.Notify(); });
      told_to_end.Wait();
    }
    return Verdict("good");
  });
  v1::CreateEvaluationRequest request = PredictedRequest(20);
  v1::EvaluationJudge& second = *request.mutable_spec()->add_judges();
  *second.mutable_definition() = QualityJudge("Again: {{ outputs }}");
  second.set_assessment_name("again");
  request.mutable_spec()->set_parallelism(2);
  ASSERT_THAT(process_->Create(request), IsOk());
  middle.Wait();
  process_.reset();
  first_life = false;
  const int asked_before = asked;
  EXPECT_LT(asked_before, 40);
  process_ = std::make_unique<EvaluationProcess>(world_);
  ASSERT_THAT(process_->jobs().ResumeAll(), IsOk());
  const v1::Evaluation evaluation = process_->WaitUntilEnded(kName);
  EXPECT_EQ(evaluation.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(evaluation.progress().rows_done(), 20);
  EXPECT_EQ(evaluation.progress().judgements_value(), 40);
  EXPECT_EQ(asked, 40);
  EXPECT_EQ(predicted, 20);
  EXPECT_EQ(world_.feedback.logged().size(), 40u);
  EXPECT_THAT(process_->store().ListRunning(), IsOkAndHolds(testing::IsEmpty()));
}

TEST_F(EvaluationsTest, WaitsForPeersThatAreAwayAndSaysSo) {
  world_.feedback.outage.Set(
      MakeError(absl::StatusCode::kUnavailable, "PEER_UNREACHABLE", "cannot reach feedback"));
  ASSERT_THAT(process_->Create(Request(2)), IsOk());
  const v1::Evaluation waiting = process_->WaitUntil(
      kName, [](const v1::Evaluation& evaluation) { return evaluation.has_error(); });
  EXPECT_EQ(waiting.state(), v1::EVALUATION_STATE_RUNNING);
  EXPECT_EQ(waiting.error().code(), "PEER_UNREACHABLE");
  world_.feedback.outage.Set(absl::OkStatus());
  const v1::Evaluation ended = process_->WaitUntilEnded(kName);
  EXPECT_EQ(ended.state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_FALSE(ended.has_error());
  EXPECT_EQ(world_.models.requests().size(), 2u);
}

TEST_F(EvaluationsTest, AResultThatCannotBeLoggedIsAnErrorAndTheOthersAreLogged) {
  world_.feedback.rule = [](const std::vector<feedback::v1::Assessment>& assessments) {
    for (size_t i = 0; i < assessments.size(); ++i) {
      if (assessments[i].feedback().rationale() == "too rude") {
        return InvalidField("assessments[" + std::to_string(i) + "].feedback.rationale", "no");
      }
    }
    return absl::OkStatus();
  };
  world_.models.SetResponder([](const ModelRequest& request) {
    return FakeModelClient::TextResponse(request.messages[0].text.find("Again") != std::string::npos
                                             ? R"({"rationale":"too rude","result":"good"})"
                                             : R"({"rationale":"fine","result":"good"})");
  });
  v1::CreateEvaluationRequest request = Request(1);
  v1::EvaluationJudge& second = *request.mutable_spec()->add_judges();
  *second.mutable_definition() = QualityJudge("Again: {{ outputs }}");
  second.set_assessment_name("again");
  const v1::Evaluation evaluation = Run(request);
  EXPECT_EQ(evaluation.progress().judgements_value(), 1);
  EXPECT_EQ(evaluation.progress().judgements_error(), 1);
  EXPECT_EQ(process_->Rows(kName).rows(0).results(1).feedback().error().code(),
            "ASSESSMENT_REFUSED");
  EXPECT_EQ(world_.feedback.logged().size(), 2u);
}

TEST_F(EvaluationsTest, PagesThroughRowsAndEvaluations) {
  Run(Request(5));
  v1::ListEvaluationRowsRequest request;
  request.set_parent(kName);
  request.set_page_size(2);
  std::vector<int64_t> seen;
  do {
    const auto page = process_->evaluations().ListRows(request);
    ASSERT_THAT(page, IsOk());
    EXPECT_LE(page->rows_size(), 2);
    for (const auto& row : page->rows()) seen.push_back(row.row());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 3, 4));
  request.set_page_token("nonsense");
  EXPECT_THAT(process_->evaluations().ListRows(request), HasReason("INVALID_PAGE_TOKEN"));

  v1::ListEvaluationsRequest list;
  list.set_parent("experiments/e");
  EXPECT_EQ(process_->evaluations().List(list)->evaluations_size(), 1);
  list.set_parent("experiments/other");
  EXPECT_EQ(process_->evaluations().List(list)->evaluations_size(), 0);
}

TEST_F(EvaluationsTest, AnUnknownEvaluationIsNotFound) {
  v1::GetEvaluationRequest request;
  request.set_name("experiments/e/evaluations/nowhere");
  EXPECT_THAT(process_->evaluations().Get(request), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(process_->Cancel(request.name()), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace assay::judge
