// Scorers that call back into the judge service while they answer: both over real connections.
#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "assay/judge/v1/judge_service.grpc.pb.h"
#include "assay/judge/v1/user_services.grpc.pb.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/json/json_value.h"
#include "common/rpc/runtime.h"
#include "common/rpc/status_conversion.h"
#include "common/rpc/testing/test_server.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/sync/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/clients/scorer_client.h"
#include "services/judge/clients/user_channels.h"
#include "services/judge/core/calls/judge_calls.h"
#include "services/judge/core/scorer_lines.h"
#include "services/judge/rpc/judge_service.h"
#include "services/judge/testing/fake_model_client.h"
#include "services/judge/testing/fake_ports.h"
#include "services/judge/testing/in_memory_answers.h"

namespace assay::judge {
namespace {

constexpr int kCallers = 32;

v1::JudgeRequest RequestFor(const std::string& address, const std::string& scorer,
                            const std::string& parent = "experiments/e") {
  v1::JudgeRequest request;
  request.set_parent(parent);
  registry::v1::ScorerJudge& judge = *request.mutable_definition()->mutable_scorer();
  judge.set_address(address);
  judge.set_scorer(scorer);
  judge.set_max_concurrency(kCallers);
  *request.mutable_inputs() = json::JsonFromText("{}");
  return request;
}

// A user's server. `outer` waits until all callers are inside and then asks a judge that is the
// scorer `inner` of this very server; `endless` asks itself; `stray` asks for another experiment.
class CallingBack final : public v1::ScorerService::Service {
 public:
  void Use(std::shared_ptr<grpc::Channel> judge, std::string address) {
    judge_ = v1::JudgeService::NewStub(judge);
    address_ = std::move(address);
  }
  std::string deepest_reason() {
    MutexLock lock(&mutex_);
    return deepest_reason_;
  }

  grpc::Status Score(grpc::ServerContext* context, const v1::ScoreRequest* request,
                     v1::ScoreResponse* response) override {
    const std::string& scorer = request->scorer();
    if (scorer == "outer") WaitForAll();
    if (scorer != "inner") {
      const absl::Status nested = CallBack(context, scorer);
      if (!nested.ok()) return {grpc::StatusCode::ABORTED, "the nested judgement failed"};
    }
    *response->add_feedbacks()->mutable_feedback()->mutable_value() = json::JsonFromText("1");
    return grpc::Status::OK;
  }

 private:
  void WaitForAll() {
    MutexLock lock(&mutex_);
    if (++inside_ == kCallers) all_inside_.SignalAll();
    while (inside_ < kCallers) all_inside_.Wait(&mutex_);
  }

  absl::Status CallBack(grpc::ServerContext* context, const std::string& scorer) {
    grpc::ClientContext nested;
    for (const auto& [key, value] : context->client_metadata()) {
      const std::string name(key.data(), key.size());
      if (name.starts_with("assay-")) nested.AddMetadata(name, {value.data(), value.size()});
    }
    const v1::JudgeRequest request =
        scorer == "stray" ? RequestFor(address_, "inner", "experiments/other")
                          : RequestFor(address_, scorer == "outer" ? "inner" : scorer);
    v1::JudgeResponse response;
    const absl::Status status = rpc::FromGrpcStatus(judge_->Judge(&nested, request, &response));
    MutexLock lock(&mutex_);
    if (!status.ok() && deepest_reason_.empty()) deepest_reason_ = ErrorReason(status);
    if (!status.ok()) return status;
    return response.feedback().has_error() ? absl::AbortedError("") : absl::OkStatus();
  }

  std::unique_ptr<v1::JudgeService::Stub> judge_;
  std::string address_;
  Mutex mutex_;
  CondVar all_inside_;
  int inside_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string deepest_reason_ ABSL_GUARDED_BY(mutex_);
};

class NestedCallsTest : public testing::Test {
 protected:
  NestedCallsTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&scorer_);
    scorer_server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
    rpc::RuntimeOptions options;
    options.service = "judge";
    options.executor = &executor_;
    options.log_requests = false;
    options.max_unary_in_flight = kCallers;  // The outer calls take all of it.
    runtime_ = std::make_unique<rpc::Runtime>(std::move(options));
    service_ = std::make_unique<JudgeService>(calls_, executor_, *runtime_);
    server_ = std::make_unique<rpc::TestServer>(
        std::vector<rpc::ServedService>{{v1::JudgeService::service_full_name(), service_.get()}},
        runtime_.get());
    judge_ = v1::JudgeService::NewStub(server_->channel());
    scorer_.Use(server_->channel(), address_);
  }
  ~NestedCallsTest() override {
    server_.reset();
    calls_.WaitUntilIdle();
    scorer_server_->Shutdown();
    executor_.Shutdown();
  }

  absl::StatusOr<v1::JudgeResponse> Judge(const std::string& scorer) {
    grpc::ClientContext context;
    v1::JudgeResponse response;
    const grpc::Status status = judge_->Judge(&context, RequestFor(address_, scorer), &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  ThreadPool executor_{"test", 2};
  ThreadTimerQueue timers_;
  FakeModelClient models_{&executor_};
  FakeRegistry registry_{executor_};
  FakeTraces traces_{executor_};
  FakeFeedback feedback_{executor_};
  InMemoryAnswers answers_{executor_, SystemClock()};
  UserChannels channels_{/*allow_remote=*/false};
  ScorerClient scorer_client_{channels_, {.executor = &executor_, .timers = &timers_}};
  ScorerLines scorers_{scorer_client_, executor_, timers_};
  JudgeRunner runner_{models_, scorers_, SystemClock(), executor_, {}};
  JudgeResolver resolver_{registry_};
  RecordedCalls recorded_{answers_.store};
  JudgeCalls calls_{runner_, resolver_, traces_, feedback_, recorded_, executor_};
  CallingBack scorer_;
  std::unique_ptr<grpc::Server> scorer_server_;
  std::string address_;
  std::unique_ptr<rpc::Runtime> runtime_;
  std::unique_ptr<JudgeService> service_;
  std::unique_ptr<rpc::TestServer> server_;
  std::unique_ptr<v1::JudgeService::Stub> judge_;
};

// With slots that outer and nested calls shared, each of them would wait for the other forever.
TEST_F(NestedCallsTest, CallersThatHoldEverySlotDoNotBlockTheirOwnNestedCalls) {
  std::vector<absl::StatusOr<v1::JudgeResponse>> answers(kCallers, absl::UnknownError("none"));
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] { answers[static_cast<size_t>(i)] = Judge("outer"); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::StatusOr<v1::JudgeResponse>& answer : answers) {
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->feedback().value().json_text(), "1") << answer->ShortDebugString();
  }
}

TEST_F(NestedCallsTest, AScorerThatAsksItselfEndsWithAClearError) {
  const absl::StatusOr<v1::JudgeResponse> answer = Judge("endless");
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->feedback().error().code(), "SCORER_FAILED");
  EXPECT_EQ(scorer_.deepest_reason(), "NESTED_TOO_DEEP");
}

TEST_F(NestedCallsTest, ANestedCallStaysInItsExperiment) {
  const absl::StatusOr<v1::JudgeResponse> answer = Judge("stray");
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->feedback().error().code(), "SCORER_FAILED");
  EXPECT_EQ(scorer_.deepest_reason(), "NESTED_EXPERIMENT_MISMATCH");
}

}  // namespace
}  // namespace assay::judge
