// The judge service behind a gRPC client, its peers and models in memory.
#include "services/judge/rpc/judge_service.h"

#include <grpcpp/client_context.h>

#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "assay/judge/v1/evaluation_service.grpc.pb.h"
#include "assay/judge/v1/judge_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "common/rpc/status_conversion.h"
#include "common/rpc/testing/test_server.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/sync/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/core/calls/judge_calls.h"
#include "services/judge/core/calls/model_calls.h"
#include "services/judge/rpc/evaluation_service.h"
#include "services/judge/rpc/model_service.h"
#include "services/judge/store/kv_answer_store.h"
#include "services/judge/testing/evaluation_fixture.h"

namespace assay::judge {
namespace {

using testing::HasSubstr;

// Holds every question until so many are there, then answers them all.
class GatheringModel final : public ModelClient {
 public:
  explicit GatheringModel(Executor& executor) : executor_(executor) {}

  void Gather(size_t count) {
    MutexLock lock(&mutex_);
    wanted_ = count;
  }
  // Called with all of them in flight.
  std::function<void()> when_gathered = [] {};

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override {
    std::vector<Done<ModelResponse>> ready;
    {
      MutexLock lock(&mutex_);
      waiting_.push_back(std::move(done));
      if (waiting_.size() < wanted_) return;
      ready.swap(waiting_);
    }
    when_gathered();
    for (Done<ModelResponse>& one : ready) {
      executor_.Run([one = std::move(one)]() mutable {
        std::move(one)(FakeModelClient::TextResponse(R"({"rationale":"r","result":"good"})"));
      });
    }
  }

 private:
  Executor& executor_;
  Mutex mutex_;
  size_t wanted_ ABSL_GUARDED_BY(mutex_) = 1;
  std::vector<Done<ModelResponse>> waiting_ ABSL_GUARDED_BY(mutex_);
};

int ThreadsOfThisProcess() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "Threads:") continue;
    int threads = 0;
    status >> threads;
    return threads;
  }
  return 0;
}

class JudgeServiceTest : public testing::Test {
 protected:
  JudgeServiceTest() {
    rpc::RuntimeOptions options;
    options.service = "judge";
    options.executor = &world_.executor;
    options.clock = &world_.clock;
    options.log_requests = false;
    runtime_ = std::make_unique<rpc::Runtime>(std::move(options));
    judge_service_ = std::make_unique<JudgeService>(calls_, world_.executor, *runtime_);
    model_service_ = std::make_unique<ModelService>(
        model_calls_,
        [] {
          v1::ListModelsResponse response;
          response.set_default_model("fake:/default");
          return response;
        },
        *runtime_);
    evaluation_service_ =
        std::make_unique<EvaluationService>(process_.evaluations(), process_.watch(), *runtime_);
    server_ = std::make_unique<rpc::TestServer>(
        std::vector<rpc::ServedService>{
            {v1::JudgeService::service_full_name(), judge_service_.get()},
            {v1::ModelService::service_full_name(), model_service_.get()},
            {v1::EvaluationService::service_full_name(), evaluation_service_.get()}},
        runtime_.get());
    judge_ = v1::JudgeService::NewStub(server_->channel());
    model_ = v1::ModelService::NewStub(server_->channel());
    evaluation_ = v1::EvaluationService::NewStub(server_->channel());
  }
  ~JudgeServiceTest() override {
    server_.reset();
    process_.jobs().Stop();
    calls_.WaitUntilIdle();
  }

  static v1::JudgeRequest Request() {
    v1::JudgeRequest request;
    request.set_parent("experiments/e");
    *request.mutable_definition() = QualityJudge();
    *request.mutable_outputs() = json::JsonFromText("\"answer\"");
    return request;
  }
  static v1::CreateEvaluationRequest EvaluationRequest() {
    v1::CreateEvaluationRequest request;
    request.set_parent("experiments/e");
    request.set_evaluation_id("run-1");
    v1::EvaluationJudge& judge = *request.mutable_spec()->add_judges();
    *judge.mutable_definition() = QualityJudge();
    judge.set_assessment_name("quality");
    *request.add_rows() = RowOf("{}", "1");
    return request;
  }

  absl::StatusOr<v1::JudgeResponse> Judge(const v1::JudgeRequest& request) {
    return Call<v1::JudgeResponse>([&](grpc::ClientContext* context, v1::JudgeResponse* response) {
      return judge_->Judge(context, request, response);
    });
  }
  absl::StatusOr<v1::CreateEvaluationResponse> Create(const v1::CreateEvaluationRequest& request) {
    return Call<v1::CreateEvaluationResponse>(
        [&](grpc::ClientContext* context, v1::CreateEvaluationResponse* response) {
          return evaluation_->CreateEvaluation(context, request, response);
        });
  }
  template <class Response, class Method>
  static absl::StatusOr<Response> Call(Method method) {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = method(&context, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  // Sends all, then reads all; by key.
  std::map<std::string, v1::JudgeStreamResponse> Stream(
      const std::vector<v1::JudgeStreamRequest>& requests) {
    grpc::ClientContext context;
    auto stream = judge_->JudgeStream(&context);
    std::thread writer([&] {
      for (const v1::JudgeStreamRequest& request : requests) stream->Write(request);
      stream->WritesDone();
    });
    std::map<std::string, v1::JudgeStreamResponse> results;
    v1::JudgeStreamResponse response;
    while (stream->Read(&response)) results[response.key()] = response;
    writer.join();
    EXPECT_TRUE(stream->Finish().ok());
    return results;
  }
  static v1::JudgeStreamRequest Keyed(const std::string& key, v1::JudgeRequest request) {
    v1::JudgeStreamRequest keyed;
    keyed.set_key(key);
    *keyed.mutable_request() = std::move(request);
    return keyed;
  }

  EvaluationWorld world_;
  EvaluationProcess process_{world_};
  GatheringModel gathering_{world_.executor};
  // Models `gather:/…` wait for each other.
  class Router final : public ModelClient {
   public:
    Router(FakeModelClient& fake, GatheringModel& gathering) : fake_(fake), gathering_(gathering) {}
    void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override {
      ModelClient& model = request.model_uri == "gather:/all"
                               ? static_cast<ModelClient&>(gathering_)
                               : static_cast<ModelClient&>(fake_);
      model.Complete(std::move(request), std::move(context), std::move(done));
    }

   private:
    FakeModelClient& fake_;
    GatheringModel& gathering_;
  } models_{world_.models, gathering_};
  KvAnswerStore answers_{world_.kv_store, world_.clock};
  JudgeRunner runner_{
      models_, world_.scorers, world_.clock, world_.executor, {.default_model = "fake:/default"}};
  JudgeResolver resolver_{world_.registry};
  RecordedCalls recorded_{answers_};
  JudgeCalls calls_{runner_, resolver_, world_.traces, world_.feedback, recorded_, world_.executor};
  ModelCalls model_calls_{models_, recorded_, "fake:/default"};
  std::unique_ptr<rpc::Runtime> runtime_;
  std::unique_ptr<JudgeService> judge_service_;
  std::unique_ptr<ModelService> model_service_;
  std::unique_ptr<EvaluationService> evaluation_service_;
  std::unique_ptr<rpc::TestServer> server_;
  std::unique_ptr<v1::JudgeService::Stub> judge_;
  std::unique_ptr<v1::ModelService::Stub> model_;
  std::unique_ptr<v1::EvaluationService::Stub> evaluation_;
};

TEST_F(JudgeServiceTest, ClientsReadWhyAJudgementIsRefused) {
  world_.registry.Add("quality", QualityJudge());
  const struct {
    const char* reason;
    absl::StatusCode code;
    std::function<void(v1::JudgeRequest*)> change;
  } cases[] = {
      {"UNKNOWN_TEMPLATE_VARIABLE", absl::StatusCode::kInvalidArgument,
       [](auto* r) {
         r->mutable_definition()->mutable_instructions()->set_instructions("{{ reply }}");
       }},
      {"MISSING_TEMPLATE_VARIABLE", absl::StatusCode::kInvalidArgument,
       [](auto* r) { r->mutable_definition()->mutable_instructions()->set_instructions("Rate"); }},
      {"MISSING_JUDGE_INPUT", absl::StatusCode::kInvalidArgument,
       [](auto* r) { r->clear_outputs(); }},
      {"INVALID_NAME", absl::StatusCode::kInvalidArgument,
       [](auto* r) { r->set_parent("experiments/Not A Slug"); }},
      {"INVALID_JSON", absl::StatusCode::kInvalidArgument,
       [](auto* r) { *r->mutable_outputs() = json::JsonFromText("{\"a\":}"); }},
      {"RESOURCE_NOT_FOUND", absl::StatusCode::kNotFound,
       [](auto* r) { r->set_registered("experiments/e/judges/quality/revisions/7"); }},
      {"RESOURCE_NOT_FOUND", absl::StatusCode::kNotFound,
       [](auto* r) { r->set_registered("experiments/e/judges/quality@nowhere"); }},
      {"RESOURCE_NOT_FOUND", absl::StatusCode::kNotFound,
       [](auto* r) { r->set_trace("experiments/e/traces/" + std::string(32, 'f')); }},
  };
  for (const auto& one : cases) {
    v1::JudgeRequest request = Request();
    one.change(&request);
    const auto answer = Judge(request);
    EXPECT_THAT(answer, StatusIs(one.code));
    EXPECT_THAT(answer, HasReason(one.reason));
  }
  EXPECT_TRUE(world_.models.requests().empty());
  EXPECT_TRUE(world_.feedback.logged().empty());
}

TEST_F(JudgeServiceTest, AnOversizedMessageIsRefused) {
  v1::JudgeRequest request = Request();
  *request.mutable_outputs() = json::JsonFromString(std::string(5 << 20, 'x'));
  EXPECT_THAT(Judge(request), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(JudgeServiceTest, AValueOutsideTheCategoriesIsAnErrorAfterOneRepair) {
  world_.models.SetResponder([](const ModelRequest&) {
    return FakeModelClient::TextResponse(R"({"rationale":"r","result":"splendid"})");
  });
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::JudgeResponse response, Judge(Request()));
  EXPECT_EQ(response.feedback().outcome(), common::v1::OUTCOME_ERROR);
  EXPECT_EQ(response.feedback().error().code(), "VALUE_OUTSIDE_TYPE");
  EXPECT_EQ(world_.models.requests().size(), 2u);
}

TEST_F(JudgeServiceTest, AnUnreachableModelIsAnAnswerOfJudgeAndAnErrorOfComplete) {
  world_.models.SetResponder([](const ModelRequest&) -> absl::StatusOr<ModelResponse> {
    return MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "away");
  });
  EXPECT_EQ(Judge(Request())->feedback().error().code(), "MODEL_UNREACHABLE");
  v1::CompleteRequest request;
  common::v1::Message& message = *request.add_messages();
  message.set_role(common::v1::ROLE_USER);
  message.add_parts()->set_text("hello");
  const auto answer =
      Call<v1::CompleteResponse>([&](grpc::ClientContext* context, v1::CompleteResponse* response) {
        return model_->Complete(context, request, response);
      });
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(answer, HasReason("MODEL_UNREACHABLE"));
}

TEST_F(JudgeServiceTest, ARepeatedRequestIdGetsTheSameAnswerOrIsRefused) {
  v1::JudgeRequest request = Request();
  request.set_request_id("r1");
  const auto first = Judge(request);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(Judge(request)->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(world_.models.requests().size(), 1u);
  request.set_assessment_name("other");
  EXPECT_THAT(Judge(request), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(JudgeServiceTest, AStreamGoesOnPastBadRequests) {
  v1::JudgeRequest bad = Request();
  bad.clear_outputs();
  const auto results = Stream({Keyed("a", Request()), Keyed("b", bad), Keyed("c", Request()),
                               Keyed(std::string(129, 'k'), Request())});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results.at("a").response().feedback().outcome(), common::v1::OUTCOME_VALUE);
  EXPECT_TRUE(results.at("c").has_response());
  EXPECT_EQ(results.at("b").error().reason(), "MISSING_JUDGE_INPUT");
  EXPECT_EQ(results.at("b").error().field(), "outputs");
  EXPECT_EQ(results.at("b").error().code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(results.at(std::string(129, 'k')).error().field(), "key");
}

TEST_F(JudgeServiceTest, AKeyInFlightIsRefused) {
  gathering_.Gather(2);
  v1::JudgeRequest waits = Request();
  waits.mutable_definition()->set_model("gather:/all");
  grpc::ClientContext context;
  auto stream = judge_->JudgeStream(&context);
  stream->Write(Keyed("a", waits));
  stream->Write(Keyed("a", waits));
  v1::JudgeStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.error().reason(), "DUPLICATE_KEY");
  stream->Write(Keyed("b", waits));
  stream->WritesDone();
  std::set<std::string> keys;
  while (stream->Read(&response)) {
    EXPECT_TRUE(response.has_response());
    keys.insert(response.key());
  }
  EXPECT_THAT(keys, testing::ElementsAre("a", "b"));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(JudgeServiceTest, TwoThousandJudgementsInFlightNeedNoMoreThreads) {
  constexpr int kStreams = 2;
  constexpr int kEach = 1'000;
  v1::JudgeRequest waits = Request();
  waits.mutable_definition()->set_model("gather:/all");
  int threads = 0;
  // Two streams at work, with one judgement each.
  auto run = [&](int each) {
    gathering_.Gather(static_cast<size_t>(kStreams * each));
    gathering_.when_gathered = [&] { threads = ThreadsOfThisProcess(); };
    std::vector<v1::JudgeStreamRequest> requests;
    for (int i = 0; i < each; ++i) requests.push_back(Keyed(std::to_string(i), waits));
    std::vector<std::thread> clients;
    std::atomic<int> answered = 0;
    for (int i = 0; i < kStreams; ++i) {
      clients.emplace_back([&] { answered += static_cast<int>(Stream(requests).size()); });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(answered, kStreams * each);
    return threads;
  };
  const int with_few = run(1);
  const int with_many = run(kEach);
  // gRPC's pollers come and go by a few.
  EXPECT_LE(with_many, with_few + 8);
}

TEST_F(JudgeServiceTest, ABatchAnswersEveryKeyAndRefusesBadOnes) {
  auto run = [&](const v1::JudgeBatchRequest& request, std::set<std::string>* keys) {
    grpc::ClientContext context;
    auto stream = judge_->JudgeBatch(&context, request);
    v1::JudgeBatchResponse response;
    while (stream->Read(&response)) {
      if (response.has_response()) keys->insert(response.key());
    }
    return rpc::FromGrpcStatus(stream->Finish());
  };
  v1::JudgeBatchRequest request;
  std::set<std::string> keys;
  EXPECT_THAT(run(request, &keys), StatusIs(absl::StatusCode::kInvalidArgument));
  for (int i = 0; i < 1'000; ++i) *request.add_requests() = Keyed(std::to_string(i), Request());
  EXPECT_THAT(run(request, &keys), IsOk());
  EXPECT_EQ(keys.size(), 1'000u);
  *request.add_requests() = Keyed("one too many", Request());
  EXPECT_THAT(run(request, &keys), StatusIs(absl::StatusCode::kInvalidArgument));
  request.mutable_requests()->DeleteSubrange(2, 999);
  request.mutable_requests(1)->set_key("0");
  EXPECT_THAT(run(request, &keys), HasReason("DUPLICATE_KEY"));
}

TEST_F(JudgeServiceTest, ClientsReadWhyAnEvaluationIsRefused) {
  const struct {
    const char* reason;
    const char* field;
    std::function<void(v1::CreateEvaluationRequest*)> change;
  } cases[] = {
      {"INVALID_NAME", "parent", [](auto* r) { r->set_parent("e"); }},
      {"INVALID_FIELD", "spec.judges", [](auto* r) { r->mutable_spec()->clear_judges(); }},
      {"UNKNOWN_TEMPLATE_VARIABLE", "spec.judges[0].definition.instructions.instructions",
       [](auto* r) {
         r->mutable_spec()
             ->mutable_judges(0)
             ->mutable_definition()
             ->mutable_instructions()
             ->set_instructions("{{ reply }}");
       }},
      {"INVALID_FIELD", "rows[0].inputs",
       [](auto* r) { *r->mutable_rows(0)->mutable_inputs() = json::JsonFromText("[1]"); }},
      {"INVALID_FIELD", "rows", [](auto* r) { r->clear_rows(); }},
      {"INVALID_FIELD", "spec.predictor.address",
       [](auto* r) {
         r->mutable_rows(0)->clear_outputs();
         r->mutable_spec()->mutable_predictor()->set_address("10.1.2.3:80");
       }},
  };
  for (const auto& one : cases) {
    v1::CreateEvaluationRequest request = EvaluationRequest();
    one.change(&request);
    const auto answer = Create(request);
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kInvalidArgument)) << one.field;
    EXPECT_THAT(answer, HasReason(one.reason)) << one.field;
    const auto violations = FieldViolations(answer.status());
    ASSERT_FALSE(violations.empty()) << one.field;
    EXPECT_EQ(violations[0].field, one.field);
  }
  EXPECT_THAT(process_.store().ListRunning(), IsOkAndHolds(testing::IsEmpty()));
}

TEST_F(JudgeServiceTest, WatchingEndsWithTheEndOfTheEvaluation) {
  v1::CreateEvaluationRequest request = EvaluationRequest();
  for (int i = 0; i < 20; ++i) *request.add_rows() = RowOf("{}", "1");
  ASSERT_THAT(Create(request), IsOk());
  grpc::ClientContext context;
  v1::WatchEvaluationRequest watch;
  watch.set_name("experiments/e/evaluations/run-1");
  auto stream = evaluation_->WatchEvaluation(&context, watch);
  v1::WatchEvaluationResponse response;
  int steps = 0;
  while (stream->Read(&response)) ++steps;
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_GE(steps, 1);
  EXPECT_EQ(response.evaluation().state(), v1::EVALUATION_STATE_SUCCEEDED);
  EXPECT_EQ(response.evaluation().progress().rows_done(), 21);

  grpc::ClientContext other;
  watch.set_name("experiments/e/evaluations/nowhere");
  auto unknown = evaluation_->WatchEvaluation(&other, watch);
  EXPECT_FALSE(unknown->Read(&response));
  EXPECT_THAT(rpc::FromGrpcStatus(unknown->Finish()), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JudgeServiceTest, AWrongPageTokenIsRefused) {
  ASSERT_THAT(Create(EvaluationRequest()), IsOk());
  v1::ListEvaluationRowsRequest request;
  request.set_parent("experiments/e/evaluations/run-1");
  request.set_page_token("bm9uc2Vuc2U");
  const auto answer = Call<v1::ListEvaluationRowsResponse>(
      [&](grpc::ClientContext* context, v1::ListEvaluationRowsResponse* response) {
        return evaluation_->ListEvaluationRows(context, request, response);
      });
  EXPECT_THAT(answer, HasReason("INVALID_PAGE_TOKEN"));
}

TEST_F(JudgeServiceTest, ListsModels) {
  const auto answer = Call<v1::ListModelsResponse>(
      [&](grpc::ClientContext* context, v1::ListModelsResponse* response) {
        return model_->ListModels(context, {}, response);
      });
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->default_model(), "fake:/default");
}

}  // namespace
}  // namespace assay::judge
