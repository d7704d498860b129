// Retries of idempotent calls between services: may I (the caller says so by calling
// CallIdempotent), should I (RetryPolicy), how long do I wait (Backoff).
#ifndef ASSAY_COMMON_RPC_RETRY_H_
#define ASSAY_COMMON_RPC_RETRY_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/clock/timer.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "common/rpc/client_call.h"

namespace assay::rpc {

struct RetryPolicy {
  int max_attempts = 4;  // In all.
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(2);
  double multiplier = 2.0;
};

// A number in [0, 1).
using Jitter = std::function<double()>;
Jitter RandomJitter();  // Thread-safe.

// How long to wait before attempt `attempts_made + 1`, or nullopt to give up: the status is not
// UNAVAILABLE, attempts are used up, or the wait would outlast `remaining`. Full jitter over an
// exponential; no less than the server's RetryInfo.
std::optional<absl::Duration> NextBackoff(const RetryPolicy& policy, const absl::Status& status,
                                          int attempts_made, absl::Duration remaining,
                                          const Jitter& jitter);

// What retries need. All of it outlives the calls; `timers` goes before the stubs (a dropped retry
// answers with the last error).
struct RetryEnvironment {
  Executor* executor = nullptr;
  TimerQueue* timers = nullptr;
  RetryPolicy policy{};
  Jitter jitter = RandomJitter();
};

namespace internal_retry {

// Adds metadata "attempts" if there was more than one.
absl::Status WithAttempts(absl::Status status, int attempts);

template <class Response>
struct RetryLoop : std::enable_shared_from_this<RetryLoop<Response>> {
  RetryEnvironment environment;
  CallContext context;
  Clock* clock;
  std::function<void(Done<Response>)> attempt;
  Done<Response> done;
  int attempts = 0;
  absl::Status last;

  void Try() {
    ++attempts;
    attempt([self = this->shared_from_this()](absl::StatusOr<Response> answer) {
      self->Consider(std::move(answer));
    });
  }

  void Consider(absl::StatusOr<Response> answer) {
    std::optional<absl::Duration> wait;
    if (!answer.ok() && !context.Cancelled()) {
      wait = NextBackoff(environment.policy, answer.status(), attempts,
                         context.Remaining(clock->Now()), environment.jitter);
    }
    if (!wait.has_value()) {
      if (!answer.ok()) answer = WithAttempts(answer.status(), attempts);
      std::move(done)(std::move(answer));
      return;
    }
    last = answer.status();
    environment.timers->RunAfter(*wait, Resume(this->shared_from_this()));
  }

  // The timer's task: goes on, or if it is dropped, gives the last error.
  struct Resume {
    explicit Resume(std::shared_ptr<RetryLoop> loop) : loop(std::move(loop)) {}
    Resume(Resume&&) noexcept = default;
    Resume& operator=(Resume&&) = delete;
    ~Resume() {
      if (loop == nullptr) return;
      Executor* executor = loop->environment.executor;
      executor->Run([loop = std::move(loop)] {
        std::move(loop->done)(WithAttempts(loop->last, loop->attempts));
      });
    }
    void operator()() && {
      Executor* executor = loop->environment.executor;
      executor->Run([loop = std::move(loop)] { loop->Try(); });
    }
    std::shared_ptr<RetryLoop> loop;
  };
};

}  // namespace internal_retry

// CallUnary, repeated on UNAVAILABLE. Only for calls whose repetition does no harm: reads, and
// writes with a request_id. The context's deadline bounds all attempts together; options.timeout
// bounds each. Thread-safe.
template <class AsyncStub, class Interface, class Request, class Response>
void CallIdempotent(AsyncStub* stub,
                    void (Interface::*method)(grpc::ClientContext*, const Request*, Response*,
                                              std::function<void(grpc::Status)>),
                    std::type_identity_t<std::shared_ptr<const Request>> request,
                    const CallContext& context, std::type_identity_t<Done<Response>> done,
                    const RetryEnvironment& environment, ClientCallOptions options = {}) {
  auto loop = std::make_shared<internal_retry::RetryLoop<Response>>();
  loop->environment = environment;
  loop->context = context;
  loop->clock = options.clock;
  loop->done = std::move(done);
  loop->attempt = [=, executor = environment.executor,
                   request = std::move(request)](Done<Response> answered) {
    CallUnary(stub, method, request, context, std::move(answered), *executor, options);
  };
  loop->Try();
}

// The same with a request of its own.
template <class AsyncStub, class Interface, class Request, class Response>
void CallIdempotent(AsyncStub* stub,
                    void (Interface::*method)(grpc::ClientContext*, const Request*, Response*,
                                              std::function<void(grpc::Status)>),
                    std::type_identity_t<Request> request, const CallContext& context,
                    std::type_identity_t<Done<Response>> done, const RetryEnvironment& environment,
                    ClientCallOptions options = {}) {
  CallIdempotent(stub, method, std::make_shared<const Request>(std::move(request)), context,
                 std::move(done), environment, std::move(options));
}

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_RETRY_H_
