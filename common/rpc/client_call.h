// Asynchronous unary calls to other services.
//
//   CallUnary(stub->async(), &TraceService::Stub::async_interface::GetTrace, request, context,
//             std::move(done), executor, {.peer = "trace at 127.0.0.1:7402"});
#ifndef ASSAY_COMMON_RPC_CLIENT_CALL_H_
#define ASSAY_COMMON_RPC_CLIENT_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/cancellation.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"

namespace assay::rpc {

struct ClientCallOptions {
  std::string peer{};  // Who is called, for errors: "trace at 127.0.0.1:7402".
  absl::Duration timeout =
      absl::Seconds(30);  // The call's deadline is the earlier of this and the context's.
  std::vector<std::pair<std::string, std::string>> metadata{};  // More headers; lower-case keys.
  Clock* clock = &SystemClock();  // The one that the context's deadline was made with.
};

// The part of a call that does not depend on the messages.
class OutgoingCall {
 public:
  OutgoingCall(const CallContext& context, ClientCallOptions options);

  // DEADLINE_EXCEEDED or CANCELLED if there is no use in starting.
  absl::Status Prepare();
  grpc::ClientContext* client_context() { return &client_context_; }
  // Makes the context's cancellation cancel the call; after the call was started.
  void FollowCancellation();
  // Of a call that has ended: FromGrpcStatus; an UNAVAILABLE that no server of ours sent gets
  // reason PEER_UNREACHABLE and metadata "peer". Not on gRPC's threads.
  absl::Status End(const grpc::Status& status);

 private:
  const CallContext context_;
  const ClientCallOptions options_;
  grpc::ClientContext client_context_;
  CancellationToken::Registration cancellation_;
};

// `done` is called on `executor`, never on gRPC's threads and never inline. The stub and the
// executor outlive the call. A status is what the peer said (see FromGrpcStatus), or:
//   UNAVAILABLE PEER_UNREACHABLE, DEADLINE_EXCEEDED, CANCELLED.
// Carries the context's deadline, cancellation, traceparent, and its depth plus one. Thread-safe.
template <class AsyncStub, class Interface, class Request, class Response>
void CallUnary(AsyncStub* stub,
               void (Interface::*method)(grpc::ClientContext*, const Request*, Response*,
                                         std::function<void(grpc::Status)>),
               std::type_identity_t<std::shared_ptr<const Request>> request,
               const CallContext& context, std::type_identity_t<Done<Response>> done,
               Executor& executor, ClientCallOptions options = {}) {
  struct Call {
    Call(const CallContext& context, ClientCallOptions options)
        : outgoing(context, std::move(options)) {}
    OutgoingCall outgoing;
    std::shared_ptr<const Request> request;
    Response response;
    Done<Response> done;
    grpc::Status status;
  };
  auto call = std::make_shared<Call>(context, std::move(options));
  call->request = std::move(request);
  call->done = std::move(done);
  if (absl::Status usable = call->outgoing.Prepare(); !usable.ok()) {
    executor.Run(
        [call, usable = std::move(usable)]() mutable { std::move(call->done)(std::move(usable)); });
    return;
  }
  auto ended = [call, &executor](grpc::Status status) mutable {
    call->status = std::move(status);
    executor.Run([call = std::move(call)] {
      absl::Status status = call->outgoing.End(call->status);
      if (status.ok()) {
        std::move(call->done)(std::move(call->response));
      } else {
        std::move(call->done)(std::move(status));
      }
    });
  };
  (stub->*method)(call->outgoing.client_context(), call->request.get(), &call->response,
                  std::move(ended));
  call->outgoing.FollowCancellation();
}

// The same with a request of its own.
template <class AsyncStub, class Interface, class Request, class Response>
void CallUnary(AsyncStub* stub,
               void (Interface::*method)(grpc::ClientContext*, const Request*, Response*,
                                         std::function<void(grpc::Status)>),
               std::type_identity_t<Request> request, const CallContext& context,
               std::type_identity_t<Done<Response>> done, Executor& executor,
               ClientCallOptions options = {}) {
  CallUnary(stub, method, std::make_shared<const Request>(std::move(request)), context,
            std::move(done), executor, std::move(options));
}

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_CLIENT_CALL_H_
