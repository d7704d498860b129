#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <thread>

#include "assay/judge/v1/user_services.grpc.pb.h"
#include "common/clock/timer.h"
#include "common/exec/await.h"
#include "common/exec/executor.h"
#include "common/json/json_value.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/clients/predictor_client.h"
#include "services/judge/clients/scorer_client.h"

namespace assay::judge {
namespace {

using testing::HasSubstr;

// A user's server, written without our runtime.
class UserScorer final : public v1::ScorerService::Service {
 public:
  grpc::Status Score(grpc::ServerContext* context, const v1::ScoreRequest* request,
                     v1::ScoreResponse* response) override {
    if (request->scorer() == "hangs") {
      while (!context->IsCancelled() && !released.WaitFor(absl::Milliseconds(5))) continue;
    }
    if (request->scorer() == "fails") {
      return {grpc::StatusCode::FAILED_PRECONDITION, "policies are missing"};
    }
    if (request->scorer() == "floods") {
      for (int i = 0; i < 200; ++i) {
        response->add_feedbacks()->mutable_feedback()->set_rationale(std::string(64 << 10, 'x'));
      }
    }
    *response->add_feedbacks()->mutable_feedback()->mutable_value() = json::JsonFromText("1");
    return grpc::Status::OK;
  }
  Notification released;
};

class UserApplication final : public v1::PredictorService::Service {
 public:
  grpc::Status Predict(grpc::ServerContext* context, const v1::PredictRequest* request,
                       v1::PredictResponse* response) override {
    const auto found = context->client_metadata().find("traceparent");
    if (found != context->client_metadata().end()) {
      traceparent = std::string(found->second.data(), found->second.size());
    }
    *response->mutable_outputs() = request->inputs();
    return grpc::Status::OK;
  }
  std::string traceparent;
};

class UserClientsTest : public testing::Test {
 protected:
  UserClientsTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&scorer_);
    builder.RegisterService(&application_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~UserClientsTest() override {
    scorer_.released.Notify();
    if (server_ != nullptr) server_->Shutdown();
    executor_.Shutdown();
  }

  rpc::RetryEnvironment Retries() {
    rpc::RetryEnvironment retries;
    retries.executor = &executor_;
    retries.timers = &timers_;
    retries.policy = {.max_attempts = 2, .initial_backoff = absl::Milliseconds(1)};
    return retries;
  }

  absl::StatusOr<v1::ScoreResponse> Score(const std::string& name,
                                          absl::Duration timeout = absl::Seconds(20)) {
    v1::Scorer scorer;
    scorer.set_scorer(name);
    scorer.set_address(address_);
    *scorer.mutable_timeout() = proto::ToDuration(timeout);
    v1::ScoreRequest request;
    request.set_scorer(name);
    return Await<v1::ScoreResponse>([&](Done<v1::ScoreResponse> done) {
      scorers_.Score(scorer, request, context_, std::move(done));
    });
  }

  UserScorer scorer_;
  UserApplication application_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  ThreadPool executor_{"test", 2};
  ThreadTimerQueue timers_;
  UserChannels channels_{/*allow_remote=*/false};
  ScorerClient scorers_{channels_, Retries()};
  PredictorClient predictors_{channels_, Retries()};
  CallContext context_;
};

TEST_F(UserClientsTest, ReturnsTheAnswer) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::ScoreResponse response, Score("counts"));
  EXPECT_EQ(response.feedbacks(0).feedback().value().json_text(), "1");
}

TEST_F(UserClientsTest, AScorerThatHangsTimesOut) {
  EXPECT_THAT(Score("hangs", absl::Milliseconds(50)), HasReason("SCORER_TIMEOUT"));
}

TEST_F(UserClientsTest, AScorersOwnErrorIsToldInItsWords) {
  const auto answer = Score("fails");
  EXPECT_THAT(answer, HasReason("SCORER_FAILED"));
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("policies are missing"));
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("FAILED_PRECONDITION"));
}

TEST_F(UserClientsTest, TooLargeAnAnswerIsRefused) {
  EXPECT_THAT(Score("floods"), HasReason("SCORER_INVALID_RESPONSE"));
}

TEST_F(UserClientsTest, AScorerThatIsNotThereIsUnreachable) {
  scorer_.released.Notify();
  server_->Shutdown();
  server_.reset();
  EXPECT_THAT(Score("counts"), HasReason("SCORER_UNREACHABLE"));
}

// The process goes while it answers.
TEST_F(UserClientsTest, AScorerThatCrashesIsUnreachable) {
  std::thread crash([&] { server_->Shutdown(std::chrono::system_clock::now()); });
  const auto answer = Score("hangs");
  crash.join();
  EXPECT_THAT(ErrorReason(answer.status()), testing::AnyOf("SCORER_UNREACHABLE", "SCORER_FAILED"));
}

TEST_F(UserClientsTest, ACancelledCallIsCancelled) {
  context_.cancel = std::make_shared<CancellationToken>();
  context_.cancel->Cancel();
  EXPECT_THAT(Score("hangs"), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(UserClientsTest, TheApplicationGetsInputsAndTraceparent) {
  v1::Predictor predictor;
  predictor.set_address(address_);
  predictor.mutable_timeout()->set_seconds(20);
  v1::PredictRequest request;
  *request.mutable_inputs() = json::JsonFromText("{\"q\":1}");
  CallContext context;
  context.traceparent = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";
  const auto response = Await<v1::PredictResponse>([&](Done<v1::PredictResponse> done) {
    predictors_.Predict(predictor, request, context, std::move(done));
  });
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->outputs().json_text(), "{\"q\":1}");
  EXPECT_EQ(application_.traceparent, context.traceparent);
}

TEST_F(UserClientsTest, OtherMachinesAreRefusedUnlessAllowed) {
  address_ = "10.0.0.1:80";
  EXPECT_THAT(Score("counts"), HasReason("REMOTE_ADDRESS_REFUSED"));
}

}  // namespace
}  // namespace assay::judge
