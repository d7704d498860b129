#include "common/rpc/unary_call.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "common/clock/fake_clock.h"
#include "common/rpc/status_proto.h"
#include "common/rpc/testing/echo_fixture.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using EchoRequest = EchoService::EchoRequest;
using EchoResponse = EchoService::EchoResponse;

class UnaryCallTest : public EchoFixture {
 protected:
  // A handler that keeps its answer until the test gives it.
  struct Held {
    CallContext context;
    Done<EchoResponse> done;
    Notification begun;
    Notification cancelled;
    CancellationToken::Registration registration;
  };

  void HoldFirstCall(Held* held) {
    Make().on_echo = [held](CallContext context, const EchoRequest& request,
                            Done<EchoResponse> done) {
      if (held->begun.HasBeenNotified()) return std::move(done)(EchoResponse());
      held->registration = context.cancel->OnCancel([held] { held->cancelled.Notify(); });
      held->context = std::move(context);
      held->done = std::move(done);
      held->begun.Notify();
    };
  }

  std::string MetricLine(const std::string& code) {
    return StrCat("assay_rpc_requests_total{code=\"", code,
                  "\",method=\"assay.echo.v1.EchoService/Echo\",service=\"echo\"} 1");
  }
};

TEST_F(UnaryCallTest, AnswersFromTheExecutor) {
  const std::thread::id test_thread = std::this_thread::get_id();
  std::atomic<bool> on_pool{false};
  Make().on_echo = [&](CallContext context, const EchoRequest& request, Done<EchoResponse> done) {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof(name));
    on_pool =
        std::this_thread::get_id() != test_thread && std::string(name).starts_with("handlers");
    EchoResponse response;
    response.set_text(StrCat(request.text(), "!"));
    std::move(done)(std::move(response));
  };
  Start();
  EchoResponse response;
  EXPECT_OK(Echo("hello", &response));
  EXPECT_EQ(response.text(), "hello!");
  EXPECT_TRUE(on_pool);
  EXPECT_THAT(metrics_.Text(), HasSubstr(MetricLine("OK")));
}

TEST_F(UnaryCallTest, AnswersLaterFromAnyThread) {
  Held held;
  HoldFirstCall(&held);
  Start();
  auto pending = BeginEcho("x");
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  EchoResponse response;
  response.set_text("late");
  std::thread([&] { std::move(held.done)(response); }).join();
  EXPECT_OK(pending->Wait());
  EXPECT_EQ(pending->response.text(), "late");
}

TEST_F(UnaryCallTest, ErrorsReachTheClientWithTheirDetails) {
  Make().on_echo = [](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    std::move(done)(InvalidField("text", "is not what it should be"));
  };
  Start();
  const absl::Status status = Echo("x");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(status, HasFieldViolation("text"));
  EXPECT_THAT(status, HasReason("INVALID_FIELD"));
  EXPECT_THAT(metrics_.Text(), HasSubstr(MetricLine("INVALID_ARGUMENT")));
}

TEST_F(UnaryCallTest, LargeDetailsAreCappedSoThatTheyArrive) {
  Make().on_echo = [](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    std::string message;
    for (int i = 0; i < 3000; ++i) message += "€";
    absl::Status status = MakeError(absl::StatusCode::kFailedPrecondition, "LARGE", message);
    for (int i = 0; i < 100; ++i)
      status = AddErrorMetadata(status, StrCat("k", i), std::string(400, 'v'));
    std::move(done)(std::move(status));
  };
  Start();
  auto pending = BeginEcho("x");
  EXPECT_THAT(pending->Wait(), HasReason("LARGE"));
  EXPECT_LE(pending->status.error_details().size(), kMaxStatusProtoBytes);
  EXPECT_GT(pending->status.error_details().size(), kMaxStatusProtoBytes / 2);
}

TEST_F(UnaryCallTest, CancellationFiresTheTokenAndTheHandlerFinishes) {
  Held held;
  HoldFirstCall(&held);
  Start();
  auto pending = BeginEcho("x");
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  EXPECT_FALSE(held.context.Cancelled());
  pending->context.TryCancel();
  EXPECT_THAT(pending->Wait(), StatusIs(absl::StatusCode::kCancelled));
  ASSERT_TRUE(held.cancelled.WaitFor(kSoon));
  EXPECT_TRUE(held.context.Cancelled());
  std::move(held.done)(absl::CancelledError("gave up"));
  EXPECT_OK(Echo("next"));
}

TEST_F(UnaryCallTest, DroppedAnswerIsInternal) {
  Make().on_echo = [](CallContext, const EchoRequest&, Done<EchoResponse> done) {};
  Start();
  const absl::Status status = Echo("x");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(status, HasReason("ANSWER_DROPPED"));
}

TEST_F(UnaryCallTest, SecondAnswerIsIgnored) {
  Make().on_echo = [](CallContext, const EchoRequest& request, Done<EchoResponse> done) {
    EchoResponse response;
    response.set_text("first");
    std::move(done)(response);
    std::move(done)(absl::InternalError("second"));  // NOLINT: that is the point.
  };
  Start();
  EchoResponse response;
  EXPECT_OK(Echo("x", &response));
  EXPECT_EQ(response.text(), "first");
}

TEST_F(UnaryCallTest, SecondAnswerAfterTheCallIsGoneIsIgnored) {
  Held held;
  HoldFirstCall(&held);
  Start();
  auto pending = BeginEcho("x");
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  std::move(held.done)(EchoResponse());
  EXPECT_OK(pending->Wait());
  EXPECT_OK(Echo("y"));
  std::move(held.done)(absl::InternalError("second"));  // NOLINT: that is the point.
}

TEST_F(UnaryCallTest, ExceptionBecomesInternalAndIsNotShown) {
  Make().on_echo = [](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    throw std::runtime_error("secret");
  };
  Start();
  const absl::Status status = Echo("x");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, Not(HasSubstr("secret"))));
  EXPECT_THAT(status, HasReason("HANDLER_THREW"));
}

TEST_F(UnaryCallTest, ExceptionWinsOverAnAnswerThatComesLater) {
  Held held;
  Make().on_echo = [&](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    held.done = std::move(done);
    held.begun.Notify();
    throw 7;
  };
  Start();
  auto pending = BeginEcho("x");
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  std::move(held.done)(EchoResponse());
  EXPECT_THAT(pending->Wait(), HasReason("HANDLER_THREW"));
}

TEST_F(UnaryCallTest, RequestLivesUntilTheHandlerReturnsEvenIfAnsweredBefore) {
  Notification answered;
  std::string seen;
  Notification returned;
  Make().on_echo = [&](CallContext, const EchoRequest& request, Done<EchoResponse> done) {
    std::move(done)(EchoResponse());
    answered.Notify();
    seen = request.text();
    returned.Notify();
  };
  Start();
  EXPECT_OK(Echo(std::string(1000, 'x')));
  ASSERT_TRUE(returned.WaitFor(kSoon));
  EXPECT_EQ(seen, std::string(1000, 'x'));
}

TEST_F(UnaryCallTest, DeadlinePassesFromTheClient) {
  FakeClock clock;
  runtime_options_.clock = &clock;
  absl::Time deadline;
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    deadline = context.deadline;
    std::move(done)(EchoResponse());
  };
  Start();
  PendingEcho pending;
  pending.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(100));
  Begin(&pending);
  EXPECT_OK(pending.Wait());
  EXPECT_LE(deadline - clock.Now(), absl::Seconds(101));  // The wire rounds timeouts up.
  EXPECT_GT(deadline - clock.Now(), absl::Seconds(70));
}

TEST_F(UnaryCallTest, DeadlineIsBoundedOnBothSides) {
  FakeClock clock;
  runtime_options_.clock = &clock;
  absl::Time deadline;
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    deadline = context.deadline;
    std::move(done)(EchoResponse());
  };
  Start();
  EXPECT_OK(Echo("brings none"));
  EXPECT_EQ(deadline - clock.Now(), absl::Seconds(30));
  PendingEcho pending;
  pending.context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(5));
  Begin(&pending);
  EXPECT_OK(pending.Wait());
  EXPECT_EQ(deadline - clock.Now(), absl::Minutes(10));
}

TEST_F(UnaryCallTest, WorkThatExpiredInTheQueueIsNotStarted) {
  FakeClock clock;
  HeldExecutor executor;
  runtime_options_.clock = &clock;
  runtime_options_.executor = &executor;
  std::atomic<bool> ran{false};
  Make().on_echo = [&](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    ran = true;
    std::move(done)(EchoResponse());
  };
  Start();
  auto pending = BeginEcho("x");
  executor.WaitForTasks(1);
  clock.Advance(absl::Seconds(31));
  executor.RunAll();
  EXPECT_THAT(pending->Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(ran);
  server_.reset();
}

TEST_F(UnaryCallTest, OverloadIsRefusedWithARetryDelay) {
  runtime_options_.max_unary_in_flight = 1;
  runtime_options_.retry_after = absl::Seconds(3);
  Held held;
  HoldFirstCall(&held);
  Start();
  auto first = BeginEcho("x");
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  const absl::Status refused = Echo("y");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(refused, HasReason("OVERLOADED"));
  EXPECT_EQ(RetryAfter(refused), absl::Seconds(3));
  EXPECT_THAT(metrics_.Text(), HasSubstr("assay_rpc_admission_refused_total{service=\"echo\"} 1"));
  std::move(held.done)(EchoResponse());
  EXPECT_OK(first->Wait());
  EXPECT_OK(Echo("z"));
}

TEST_F(UnaryCallTest, NestedCallsHaveSlotsOfTheirOwn) {
  runtime_options_.max_unary_in_flight = 1;
  Held held;
  HoldFirstCall(&held);
  Start();
  auto first = BeginEcho("x");
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  PendingEcho nested;
  nested.context.AddMetadata("assay-depth", "1");
  Begin(&nested);
  EXPECT_OK(nested.Wait());
  std::move(held.done)(EchoResponse());
  EXPECT_OK(first->Wait());
}

TEST_F(UnaryCallTest, MetadataReachesTheContext) {
  CallContext seen;
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    seen = std::move(context);
    std::move(done)(EchoResponse());
  };
  Start();
  const std::string traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  PendingEcho pending;
  pending.context.AddMetadata("traceparent", traceparent);
  pending.context.AddMetadata("assay-depth", "4");
  Begin(&pending);
  EXPECT_OK(pending.Wait());
  EXPECT_EQ(seen.traceparent, traceparent);
  EXPECT_EQ(seen.depth, 4);
  EXPECT_EQ(seen.request_method, "assay.echo.v1.EchoService/Echo");
  EXPECT_EQ(seen.principal, "local");
}

TEST_F(UnaryCallTest, NestedCallsInheritExperimentAndDeadline) {
  FakeClock clock;
  runtime_options_.clock = &clock;
  const absl::Time deadline = absl::FromUnixMillis(absl::ToUnixMillis(clock.Now()) + 5'000);
  CallContext seen;
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    seen = std::move(context);
    std::move(done)(EchoResponse());
  };
  Start();
  PendingEcho pending;
  pending.context.AddMetadata("assay-experiment", "experiments/e");
  pending.context.AddMetadata("assay-deadline-ms", std::to_string(absl::ToUnixMillis(deadline)));
  Begin(&pending);
  EXPECT_OK(pending.Wait());
  EXPECT_EQ(seen.experiment, "experiments/e");
  EXPECT_EQ(seen.deadline, deadline);
  PendingEcho broken;
  broken.context.AddMetadata("assay-deadline-ms", "soon");
  Begin(&broken);
  EXPECT_THAT(broken.Wait(), HasReason("INVALID_METADATA"));
}

TEST_F(UnaryCallTest, RefusesCallsNestedTooDeep) {
  Start();
  PendingEcho pending;
  pending.context.AddMetadata("assay-depth", "5");
  Begin(&pending);
  const absl::Status status = pending.Wait();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(status, HasReason("NESTED_TOO_DEEP"));
}

TEST_F(UnaryCallTest, RefusesUnreadableDepth) {
  Start();
  for (const char* depth : {"", "-1", "x", "1x", "99999999999999999999"}) {
    PendingEcho pending;
    pending.context.AddMetadata("assay-depth", depth);
    Begin(&pending);
    EXPECT_THAT(pending.Wait(), HasReason("INVALID_METADATA")) << depth;
  }
}

TEST_F(UnaryCallTest, IgnoresBrokenTraceparent) {
  std::string seen = "unset";
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    seen = context.traceparent;
    std::move(done)(EchoResponse());
  };
  Start();
  PendingEcho pending;
  pending.context.AddMetadata("traceparent", "00-nonsense");
  Begin(&pending);
  EXPECT_OK(pending.Wait());
  EXPECT_EQ(seen, "");
}

TEST_F(UnaryCallTest, MessagesAboveTheLimitAreRefused) {
  Start();
  EXPECT_OK(Echo(std::string((4 << 20) - 100, 'x')));
  EXPECT_THAT(Echo(std::string((4 << 20) + 1, 'x')), HasReason("MESSAGE_TOO_LARGE"));
  // What is far too large does not even reach the call.
  EXPECT_THAT(Echo(std::string(9 << 20, 'x')), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(UnaryCallTest, ShutdownCancelsACallInFlightAndWaitsForIt) {
  Held held;
  HoldFirstCall(&held);
  Start();
  auto pending = BeginEcho("x");
  ASSERT_TRUE(held.begun.WaitFor(kSoon));
  std::thread shutdown([&] { server_->server().Drain(); });
  EXPECT_TRUE(held.cancelled.WaitFor(kSoon));
  EXPECT_EQ(runtime_->live_calls().size(), 1u);
  std::move(held.done)(absl::CancelledError("shutting down"));
  shutdown.join();
  EXPECT_FALSE(pending->Wait().ok());
  EXPECT_EQ(runtime_->live_calls().size(), 0u);
}

}  // namespace
}  // namespace assay::rpc
