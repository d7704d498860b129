#include "common/rpc/server_stream_call.h"

#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/rpc/testing/echo_fixture.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using RepeatRequest = EchoService::RepeatRequest;
using RepeatResponse = EchoService::RepeatResponse;
using RepeatSink = EchoService::RepeatSink;

class ServerStreamCallTest : public EchoFixture {
 protected:
  struct Held {
    CallContext context;
    RepeatSink sink;
    Notification begun;
    Notification cancelled;
    CancellationToken::Registration registration;
  };

  void HoldCall(Held* held) {
    Make().on_repeat = [held](CallContext context, const RepeatRequest&, RepeatSink sink) {
      held->registration = context.cancel->OnCancel([held] { held->cancelled.Notify(); });
      held->context = std::move(context);
      held->sink = std::move(sink);
      held->begun.Notify();
    };
  }

  // Reads all there is.
  absl::Status Repeat(int count, std::vector<int>* indexes) {
    grpc::ClientContext context;
    RepeatRequest request;
    request.set_count(count);
    auto reader = stub_->Repeat(&context, request);
    RepeatResponse response;
    while (reader->Read(&response)) indexes->push_back(response.index());
    return FromGrpcStatus(reader->Finish());
  }
};

RepeatResponse Item(int index, size_t bytes = 0) {
  RepeatResponse response;
  response.set_index(index);
  response.set_text(std::string(bytes, 'x'));
  return response;
}

TEST_F(ServerStreamCallTest, WritesAllInOrder) {
  Start();
  std::vector<int> indexes;
  EXPECT_OK(Repeat(1000, &indexes));
  ASSERT_EQ(indexes.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(indexes[static_cast<size_t>(i)], i);
}

TEST_F(ServerStreamCallTest, EndsEmptyStreams) {
  Start();
  std::vector<int> indexes;
  EXPECT_OK(Repeat(0, &indexes));
  EXPECT_TRUE(indexes.empty());
}

TEST_F(ServerStreamCallTest, ErrorComesAfterWhatWasWritten) {
  Make().on_repeat = [](CallContext, const RepeatRequest&, RepeatSink sink) {
    sink->Write(Item(7));
    sink->Finish(NotFound("page", "2"));
    EXPECT_FALSE(sink->Write(Item(8)));
    EXPECT_TRUE(sink->Ended());
  };
  Start();
  std::vector<int> indexes;
  EXPECT_THAT(Repeat(1, &indexes), HasReason("RESOURCE_NOT_FOUND"));
  EXPECT_EQ(indexes, std::vector<int>{7});
}

TEST_F(ServerStreamCallTest, DroppedSinkIsInternal) {
  Make().on_repeat = [](CallContext, const RepeatRequest&, RepeatSink sink) {
    sink->Write(Item(1));
  };
  Start();
  std::vector<int> indexes;
  EXPECT_THAT(Repeat(1, &indexes), HasReason("ANSWER_DROPPED"));
  EXPECT_EQ(indexes, std::vector<int>{1});
}

TEST_F(ServerStreamCallTest, ExceptionIsInternal) {
  Make().on_repeat = [](CallContext, const RepeatRequest&, RepeatSink) {
    throw std::runtime_error("no");
  };
  Start();
  std::vector<int> indexes;
  EXPECT_THAT(Repeat(1, &indexes), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(ServerStreamCallTest, HasNoDeadlineUnlessTheClientBringsOne) {
  Held held;
  HoldCall(&held);
  Start();
  grpc::ClientContext context;
  auto reader = stub_->Repeat(&context, RepeatRequest());
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  EXPECT_EQ(held.context.deadline, absl::InfiniteFuture());
  held.sink->Finish(absl::OkStatus());
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ServerStreamCallTest, BacklogTellsTheWriterToWaitAndWhenToGoOn) {
  Held held;
  HoldCall(&held);
  service_->repeat_options.backlog = 4;
  Start();
  grpc::ClientContext context;
  auto reader = stub_->Repeat(&context, RepeatRequest());
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  // Nobody reads yet: once the transport's windows are full, items stay in the backlog.
  int written = 0;
  while (held.sink->Write(Item(written++, 200'000))) ASSERT_LT(written, 1000);
  Notification ready;
  held.sink->WhenReady([&] { ready.Notify(); });
  RepeatResponse response;
  for (int read = 0; read < written; ++read) ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(ready.WaitFor(kSoon));
  held.sink->Finish(absl::OkStatus());
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ServerStreamCallTest, WriterThatDoesNotWaitIsStopped) {
  Held held;
  HoldCall(&held);
  service_->repeat_options = {.backlog = 4, .hard_backlog = 8};
  Start();
  grpc::ClientContext context;
  auto reader = stub_->Repeat(&context, RepeatRequest());
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  int written = 0;
  while (!held.sink->Ended()) {
    held.sink->Write(Item(written++, 200'000));
    ASSERT_LT(written, 10'000);
  }
  RepeatResponse response;
  while (reader->Read(&response)) {
  }
  EXPECT_THAT(FromGrpcStatus(reader->Finish()), HasReason("SLOW_READER"));
}

TEST_F(ServerStreamCallTest, CancellationEndsTheStreamAndWakesTheWriter) {
  Held held;
  HoldCall(&held);
  Start();
  grpc::ClientContext context;
  auto reader = stub_->Repeat(&context, RepeatRequest());
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  context.TryCancel();
  ASSERT_TRUE(held.cancelled.WaitFor(kSoon));
  EXPECT_TRUE(held.sink->Ended());
  EXPECT_FALSE(held.sink->Write(Item(1)));
  Notification ready;
  held.sink->WhenReady([&] { ready.Notify(); });
  EXPECT_TRUE(ready.WaitFor(kSoon));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServerStreamCallTest, SinkMayOutliveTheServer) {
  Held held;
  HoldCall(&held);
  ServerOptions options = TestServer::QuickOptions();
  options.grace = kSoon;  // Else the status races with the cancellation of all calls.
  Start(options);
  grpc::ClientContext context;
  auto reader = stub_->Repeat(&context, RepeatRequest());
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  server_->server().Drain();
  EXPECT_THAT(FromGrpcStatus(reader->Finish()), HasReason("DRAINING"));
  EXPECT_TRUE(held.context.Cancelled());
  EXPECT_FALSE(held.sink->Write(Item(1)));
  held.sink->Finish(absl::OkStatus());
}

TEST_F(ServerStreamCallTest, RefusesMoreThanTheOpenStreamsAllowed) {
  runtime_options_.max_open_streams = 1;
  Held held;
  HoldCall(&held);
  Start();
  grpc::ClientContext context;
  auto reader = stub_->Repeat(&context, RepeatRequest());
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  std::vector<int> indexes;
  const absl::Status refused = Repeat(1, &indexes);
  EXPECT_THAT(refused, HasReason("OVERLOADED"));
  EXPECT_TRUE(RetryAfter(refused).has_value());
  held.sink->Finish(absl::OkStatus());
  EXPECT_TRUE(reader->Finish().ok());
}

}  // namespace
}  // namespace assay::rpc
