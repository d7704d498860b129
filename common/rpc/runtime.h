// What a service's gRPC adapter is made of. Each method of a CallbackService is one call of Unary,
// ServerStream, ClientStream or Bidi:
//
//   grpc::ServerUnaryReactor* CreateJudge(grpc::CallbackServerContext* context, const
//   CreateJudgeRequest* request,
//                                         CreateJudgeResponse* response) override {
//     return runtime_->Unary(context, "assay.registry.v1.JudgeRegistryService/CreateJudge",
//     request, response,
//         [this](CallContext ctx, const CreateJudgeRequest& request, Done<CreateJudgeResponse>
//         done) {
//           core_->CreateJudge(ctx, request, std::move(done));
//         });
//   }
//
// The handler runs on the executor, never on gRPC's threads, and only if there is a slot and the
// deadline has not passed. It answers through `done`, from any thread, now or later. Cancellation
// fires ctx.cancel. Errors reach the client through ToGrpcStatus. A forgotten answer, or an
// exception, becomes INTERNAL.
#ifndef ASSAY_COMMON_RPC_RUNTIME_H_
#define ASSAY_COMMON_RPC_RUNTIME_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string_view>
#include <utility>

#include "common/rpc/bidi_call.h"
#include "common/rpc/call_environment.h"
#include "common/rpc/client_stream_call.h"
#include "common/rpc/server_stream_call.h"
#include "common/rpc/unary_call.h"

namespace assay::rpc {

// One per service (and one more for a port of its own, such as OTLP's). Outlives the Server that
// serves its calls, and everything that holds a StreamSink of its calls. Thread-safe.
class Runtime {
 public:
  explicit Runtime(RuntimeOptions options) : environment_(std::move(options)) {}

  // Handler: void(CallContext, const Request&, Done<Response>). `request` is valid until the
  // handler has returned and `done` was called. It runs on `executor`, by default the one of the
  // options: methods that only compute need not queue behind those that block.
  template <class Request, class Response, class Handler>
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, std::string_view method,
                                  const Request* request, Response* response, Handler handler,
                                  Executor* executor = nullptr) {
    return UnaryCall<Request, Response>::Start(&environment_, context, method, request, response,
                                               std::move(handler), executor);
  }

  // Handler: void(CallContext, const Request&, std::shared_ptr<StreamSink<Response>>). `request` is
  // valid until the handler returns. No deadline unless the client brings one. `Response` must be
  // named:
  //   runtime_->ServerStream<WatchResponse>(context, "…/Watch", request, [...](...) {...});
  template <class Response, class Request, class Handler>
  grpc::ServerWriteReactor<Response>* ServerStream(grpc::CallbackServerContext* context,
                                                   std::string_view method, const Request* request,
                                                   Handler handler,
                                                   const ServerStreamOptions& options = {}) {
    return ServerStreamCall<Request, Response>::Start(&environment_, context, method, request,
                                                      std::move(handler), options);
  }

  // Handler: void(CallContext, std::shared_ptr<StreamSource<Request>>, Done<Response>). No deadline
  // unless the client brings one. `Request` must be named.
  template <class Request, class Response, class Handler>
  grpc::ServerReadReactor<Request>* ClientStream(grpc::CallbackServerContext* context,
                                                 std::string_view method, Response* response,
                                                 Handler handler) {
    return ClientStreamCall<Request, Response>::Start(&environment_, context, method, response,
                                                      std::move(handler));
  }

  // Handler, called for each request: void(CallContext, Request, Done<Response>); copyable. The
  // context's deadline is at most RuntimeOptions.max_deadline away; its cancel token is the
  // stream's.
  template <class Request, class Response, class Handler>
  grpc::ServerBidiReactor<Request, Response>* Bidi(grpc::CallbackServerContext* context,
                                                   std::string_view method, Handler handler,
                                                   const BidiOptions& options = {}) {
    return BidiCall<Request, Response>::Start(&environment_, context, method, std::move(handler),
                                              options);
  }

  CallEnvironment& environment() { return environment_; }
  LiveCalls& live_calls() { return environment_.live_calls(); }

 private:
  CallEnvironment environment_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_RUNTIME_H_
