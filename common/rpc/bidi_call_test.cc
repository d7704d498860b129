#include "common/rpc/bidi_call.h"

#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/rpc/testing/echo_fixture.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using ChatRequest = EchoService::ChatRequest;
using ChatResponse = EchoService::ChatResponse;

ChatRequest Message(const std::string& key) {
  ChatRequest request;
  request.set_key(key);
  return request;
}

ChatResponse Reply(const std::string& key) {
  ChatResponse response;
  response.set_key(key);
  return response;
}

class BidiCallTest : public EchoFixture {
 protected:
  // Keeps requests until the test answers them. Thread-safe.
  struct Held {
    Mutex mutex;
    CondVar changed;
    std::vector<std::pair<std::string, Done<ChatResponse>>> calls;
    std::shared_ptr<CancellationToken> cancel;

    void WaitForCalls(size_t count) {
      MutexLock lock(&mutex);
      while (calls.size() < count) changed.Wait(&mutex);
    }
    size_t size() {
      MutexLock lock(&mutex);
      return calls.size();
    }
    void Answer(size_t index) {
      std::pair<std::string, Done<ChatResponse>> call;
      {
        MutexLock lock(&mutex);
        call = std::move(calls[index]);
      }
      std::move(call.second)(Reply(call.first));
    }
  };

  void HoldCalls(Held* held) {
    Make().on_chat = [held](CallContext context, ChatRequest request, Done<ChatResponse> done) {
      MutexLock lock(&held->mutex);
      held->cancel = context.cancel;
      held->calls.emplace_back(request.key(), std::move(done));
      held->changed.SignalAll();
    };
  }
};

TEST_F(BidiCallTest, AnswersEachRequestOnce) {
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  constexpr int kCount = 500;
  std::thread writer([&] {
    for (int i = 0; i < kCount; ++i) ASSERT_TRUE(stream->Write(Message(StrCat(i))));
    stream->WritesDone();
  });
  std::set<std::string> keys;
  ChatResponse response;
  while (stream->Read(&response)) EXPECT_TRUE(keys.insert(response.key()).second);
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(keys.size(), static_cast<size_t>(kCount));
}

TEST_F(BidiCallTest, EndsAStreamWithoutRequests) {
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(BidiCallTest, HalfCloseWaitsForWhatIsInFlight) {
  Held held;
  HoldCalls(&held);
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  ASSERT_TRUE(stream->Write(Message("a")));
  ASSERT_TRUE(stream->Write(Message("b")));
  stream->WritesDone();
  held.WaitForCalls(2);
  held.Answer(1);
  held.Answer(0);
  ChatResponse response;
  std::set<std::string> keys;
  while (stream->Read(&response)) keys.insert(response.key());
  EXPECT_EQ(keys, (std::set<std::string>{"a", "b"}));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(BidiCallTest, ReadsNoMoreThanItHasSlotsFor) {
  constexpr size_t kCount = 20;
  constexpr size_t kSlots = 3;
  Held held;
  HoldCalls(&held);
  service_->chat_options.max_in_flight = kSlots;
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  for (size_t i = 0; i < kCount; ++i) ASSERT_TRUE(stream->Write(Message(StrCat(i))));
  stream->WritesDone();
  for (size_t answered = 0; answered < kCount; ++answered) {
    held.WaitForCalls(std::min(answered + kSlots, kCount));
    EXPECT_LE(held.size(), answered + kSlots);
    held.Answer(answered);
  }
  ChatResponse response;
  size_t read = 0;
  while (stream->Read(&response)) ++read;
  EXPECT_EQ(read, kCount);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(BidiCallTest, ErrorEndsTheStreamAfterWhatWasAnswered) {
  Held held;
  HoldCalls(&held);
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  ASSERT_TRUE(stream->Write(Message("a")));
  ASSERT_TRUE(stream->Write(Message("b")));
  ASSERT_TRUE(stream->Write(Message("c")));
  held.WaitForCalls(3);
  held.Answer(0);
  std::move(held.calls[1].second)(NotFound("judge", "b"));
  ChatResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(FromGrpcStatus(stream->Finish()), HasReason("RESOURCE_NOT_FOUND"));
  EXPECT_TRUE(held.cancel->IsCancelled());
  held.Answer(2);  // Too late, and harmless.
}

TEST_F(BidiCallTest, DroppedAnswerEndsTheStreamWithInternal) {
  Make().on_chat = [](CallContext, ChatRequest, Done<ChatResponse> done) {};
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  ASSERT_TRUE(stream->Write(Message("a")));
  ChatResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(FromGrpcStatus(stream->Finish()), HasReason("ANSWER_DROPPED"));
}

TEST_F(BidiCallTest, ExceptionEndsTheStreamWithInternal) {
  Make().on_chat = [](CallContext, ChatRequest, Done<ChatResponse> done) {
    throw std::runtime_error("no");
  };
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  ASSERT_TRUE(stream->Write(Message("a")));
  ChatResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(FromGrpcStatus(stream->Finish()), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(BidiCallTest, CancellationFiresTheTokenAndLateAnswersAreHarmless) {
  Held held;
  HoldCalls(&held);
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  ASSERT_TRUE(stream->Write(Message("a")));
  held.WaitForCalls(1);
  Notification cancelled;
  auto registration = held.cancel->OnCancel([&] { cancelled.Notify(); });
  context.TryCancel();
  EXPECT_TRUE(cancelled.WaitFor(kSoon));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  server_.reset();
  held.Answer(0);
}

TEST_F(BidiCallTest, DrainEndsOpenStreams) {
  Held held;
  HoldCalls(&held);
  ServerOptions options = TestServer::QuickOptions();
  options.grace = kSoon;  // Else the status races with the cancellation of all calls.
  Start(options);
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  ASSERT_TRUE(stream->Write(Message("a")));
  held.WaitForCalls(1);
  server_->server().Drain();
  EXPECT_THAT(FromGrpcStatus(stream->Finish()), HasReason("DRAINING"));
  held.Answer(0);
}

TEST_F(BidiCallTest, RequestsHaveADeadlineEvenIfTheStreamHasNone) {
  absl::Time deadline;
  Make().on_chat = [&](CallContext context, ChatRequest, Done<ChatResponse> done) {
    deadline = context.deadline;
    std::move(done)(Reply("x"));
  };
  Start();
  grpc::ClientContext context;
  auto stream = stub_->Chat(&context);
  ASSERT_TRUE(stream->Write(Message("a")));
  ChatResponse response;
  ASSERT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_LE(deadline, SystemClock().Now() + absl::Minutes(10));
}

}  // namespace
}  // namespace assay::rpc
