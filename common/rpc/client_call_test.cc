#include "common/rpc/client_call.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/rpc/channel.h"
#include "common/rpc/retry.h"
#include "common/rpc/testing/echo_fixture.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using EchoRequest = EchoService::EchoRequest;
using EchoResponse = EchoService::EchoResponse;
using Stub = echo::v1::EchoService::Stub;

// An answer to wait for.
struct Waiting {
  absl::StatusOr<EchoResponse> answer = absl::UnknownError("not called");
  std::thread::id thread;
  Notification called;

  Done<EchoResponse> done() {
    return [this](absl::StatusOr<EchoResponse> result) {
      answer = std::move(result);
      thread = std::this_thread::get_id();
      called.Notify();
    };
  }
  const absl::StatusOr<EchoResponse>& Wait() {
    EXPECT_TRUE(called.WaitFor(kSoon));
    return answer;
  }
};

class ClientCallTest : public EchoFixture {
 protected:
  void Call(const CallContext& context, Waiting* waiting, ClientCallOptions options = {}) {
    EchoRequest request;
    request.set_text("hello");
    CallUnary(stub_->async(), &Stub::async_interface::Echo, request, context, waiting->done(),
              client_pool_, std::move(options));
  }

  ThreadPool client_pool_{"client", 1};
};

TEST_F(ClientCallTest, AnswersOnTheExecutor) {
  Start();
  std::thread::id pool_thread;
  Notification known;
  client_pool_.Run([&] {
    pool_thread = std::this_thread::get_id();
    known.Notify();
  });
  known.Wait();
  Waiting waiting;
  Call(CallContext(), &waiting);
  ASSERT_OK(waiting.Wait());
  EXPECT_EQ(waiting.answer->text(), "hello");
  EXPECT_EQ(waiting.thread, pool_thread);
}

TEST_F(ClientCallTest, CarriesContextAndHeaders) {
  CallContext seen;
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    seen = std::move(context);
    std::move(done)(EchoResponse());
  };
  Start();
  CallContext context;
  context.depth = 2;
  context.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  context.deadline = SystemClock().Now() + absl::Seconds(15);
  Waiting waiting;
  Call(context, &waiting, {.metadata = {{"x-request-origin", "test"}}});
  ASSERT_OK(waiting.Wait());
  EXPECT_EQ(seen.depth, 3);
  EXPECT_EQ(seen.traceparent, context.traceparent);
  EXPECT_LE(seen.deadline, context.deadline + absl::Seconds(1));
}

TEST_F(ClientCallTest, HasADeadlineEvenIfTheContextHasNone) {
  absl::Time deadline;
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    deadline = context.deadline;
    std::move(done)(EchoResponse());
  };
  Start();
  Waiting waiting;
  Call(CallContext(), &waiting, {.timeout = absl::Seconds(20)});
  ASSERT_OK(waiting.Wait());
  // The wire rounds timeouts up.
  EXPECT_LE(deadline, SystemClock().Now() + absl::Seconds(21));
}

// Takes connections, and says nothing on them.
class SilentPeer {
 public:
  SilentPeer() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, generic, size), 0);
    EXPECT_EQ(listen(socket_, 8), 0);
    EXPECT_EQ(getsockname(socket_, generic, &size), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~SilentPeer() { close(socket_); }
  const std::string& address() const { return address_; }

 private:
  const int socket_;
  std::string address_;
};

TEST_F(ClientCallTest, AConnectionMayTakeAsLongAsTheCall) {
  SilentPeer peer;
  const std::unique_ptr<Stub> stub = echo::v1::EchoService::NewStub(MakeChannel(peer.address()));
  Waiting waiting;
  // Longer than the pause between two tries to connect.
  CallUnary(stub->async(), &Stub::async_interface::Echo, EchoRequest(), CallContext(),
            waiting.done(), client_pool_, {.timeout = absl::Milliseconds(400)});
  EXPECT_THAT(waiting.Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(ClientCallTest, RestoresErrorDetails) {
  Make().on_echo = [](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    std::move(done)(InvalidField("text", "is wrong"));
  };
  Start();
  Waiting waiting;
  Call(CallContext(), &waiting);
  EXPECT_THAT(waiting.Wait(), HasFieldViolation("text"));
}

TEST_F(ClientCallTest, SaysThatThePeerCannotBeReached) {
  Start();
  server_->server().Drain();
  Waiting waiting;
  Call(CallContext(), &waiting, {.peer = "echo"});
  const absl::Status status = waiting.Wait().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(status, HasReason("PEER_UNREACHABLE"));
  EXPECT_EQ(ErrorMetadata(status, "peer"), "echo");
}

TEST_F(ClientCallTest, RefusalOfThePeerIsNotUnreachability) {
  runtime_options_.max_unary_in_flight = 0;
  Start();
  Waiting waiting;
  Call(CallContext(), &waiting);
  EXPECT_THAT(waiting.Wait(), HasReason("OVERLOADED"));
}

TEST_F(ClientCallTest, CancellationCancelsTheCall) {
  Done<EchoResponse> held;
  Notification begun;
  Notification server_cancelled;
  CancellationToken::Registration registration;
  Make().on_echo = [&](CallContext context, const EchoRequest&, Done<EchoResponse> done) {
    held = std::move(done);
    registration = context.cancel->OnCancel([&] { server_cancelled.Notify(); });
    begun.Notify();
  };
  Start();
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  Waiting waiting;
  Call(context, &waiting);
  ASSERT_TRUE(begun.WaitFor(kSoon));
  context.cancel->Cancel();
  EXPECT_THAT(waiting.Wait(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(server_cancelled.WaitFor(kSoon));
  std::move(held)(EchoResponse());
}

TEST_F(ClientCallTest, DoesNotStartWhatIsCancelledOrExpired) {
  std::atomic<int> calls{0};
  Make().on_echo = [&](CallContext, const EchoRequest&, Done<EchoResponse> done) {
    ++calls;
    std::move(done)(EchoResponse());
  };
  Start();
  CallContext cancelled;
  cancelled.cancel = std::make_shared<CancellationToken>();
  cancelled.cancel->Cancel();
  Waiting first;
  Call(cancelled, &first);
  EXPECT_THAT(first.Wait(), StatusIs(absl::StatusCode::kCancelled));
  CallContext expired;
  expired.deadline = SystemClock().Now() - absl::Seconds(1);
  Waiting second;
  Call(expired, &second);
  EXPECT_THAT(second.Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(calls, 0);
}

class RetryTest : public ClientCallTest {
 protected:
  void Call(const CallContext& context, Waiting* waiting) {
    const RetryEnvironment environment{
        .executor = &client_pool_, .timers = &timers_, .jitter = [] { return 0.5; }};
    CallIdempotent(stub_->async(), &Stub::async_interface::Echo, EchoRequest(), context,
                   waiting->done(), environment, {.clock = &clock_});
  }

  // Fails with what `failure` says until `failures` calls were made. `attempted` gets a token per
  // call.
  void FailFirst(int failures, absl::Status failure) {
    Make().on_echo = [this, failures, failure](CallContext, const EchoRequest&,
                                               Done<EchoResponse> done) {
      const int call = ++calls_;
      if (call <= failures) return std::move(done)(failure);
      std::move(done)(EchoResponse());
    };
  }

  // Lets the timers run until the answer is there: each pending retry is brought about by hand.
  void RunTimersUntil(Waiting* waiting) {
    while (!waiting->called.WaitFor(absl::Milliseconds(1))) {
      if (timers_.pending() > 0) clock_.Set(timers_.NextDue());
    }
  }

  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  std::atomic<int> calls_{0};
};

TEST_F(RetryTest, RetriesUnavailableUntilItWorks) {
  FailFirst(2, Overloaded("queue", absl::Milliseconds(10)));
  Start();
  Waiting waiting;
  Call(CallContext(), &waiting);
  RunTimersUntil(&waiting);
  EXPECT_OK(waiting.answer);
  EXPECT_EQ(calls_, 3);
}

TEST_F(RetryTest, GivesUpAfterTheLastAttempt) {
  FailFirst(100, Overloaded("queue", absl::Milliseconds(10)));
  Start();
  Waiting waiting;
  Call(CallContext(), &waiting);
  RunTimersUntil(&waiting);
  EXPECT_THAT(waiting.answer, HasReason("OVERLOADED"));
  EXPECT_EQ(ErrorMetadata(waiting.answer.status(), "attempts"), "4");
  EXPECT_EQ(calls_, 4);
}

TEST_F(RetryTest, DoesNotRetryOtherErrors) {
  FailFirst(100, InvalidField("text", "is wrong"));
  Start();
  Waiting waiting;
  Call(CallContext(), &waiting);
  EXPECT_THAT(waiting.Wait(), HasReason("INVALID_FIELD"));
  EXPECT_EQ(calls_, 1);
}

TEST_F(RetryTest, GivesUpWhereTheWaitWouldOutlastTheDeadline) {
  FailFirst(100, Overloaded("queue", absl::Minutes(1)));
  Start();
  CallContext context;
  context.deadline = clock_.Now() + absl::Seconds(30);
  Waiting waiting;
  Call(context, &waiting);
  EXPECT_THAT(waiting.Wait(), HasReason("OVERLOADED"));
  EXPECT_EQ(calls_, 1);
}

TEST_F(RetryTest, AnswersWithTheLastErrorIfTheTimersGo) {
  FailFirst(100, Overloaded("queue", absl::Milliseconds(10)));
  Start();
  Waiting waiting;
  {
    FakeTimerQueue timers(&clock_);
    CallIdempotent(stub_->async(), &Stub::async_interface::Echo, EchoRequest(), CallContext(),
                   waiting.done(), {.executor = &client_pool_, .timers = &timers},
                   {.clock = &clock_});
    while (timers.pending() == 0) std::this_thread::yield();
  }
  EXPECT_THAT(waiting.Wait(), HasReason("OVERLOADED"));
}

TEST(NextBackoffTest, GrowsIsBoundedAndHonoursRetryInfo) {
  const RetryPolicy policy{.max_attempts = 10};
  const Jitter most = [] { return 0.999999; };
  const absl::Status plain = absl::UnavailableError("x");
  const absl::Duration ever = absl::InfiniteDuration();
  EXPECT_LE(*NextBackoff(policy, plain, 1, ever, most), absl::Milliseconds(100));
  EXPECT_GT(*NextBackoff(policy, plain, 2, ever, most), absl::Milliseconds(150));
  EXPECT_LE(*NextBackoff(policy, plain, 9, ever, most), absl::Seconds(2));
  EXPECT_EQ(NextBackoff(policy, plain, 10, ever, most), std::nullopt);
  EXPECT_GE(*NextBackoff(policy, Overloaded("q", absl::Seconds(7)), 1, ever, most),
            absl::Seconds(7));
  EXPECT_EQ(NextBackoff(policy, absl::InternalError("x"), 1, ever, most), std::nullopt);
}

}  // namespace
}  // namespace assay::rpc
