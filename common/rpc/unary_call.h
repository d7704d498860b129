// A unary call: the handler runs on the executor, and the call is finished exactly once on every
// path.
#ifndef ASSAY_COMMON_RPC_UNARY_CALL_H_
#define ASSAY_COMMON_RPC_UNARY_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/rpc/answer_once.h"
#include "common/rpc/call_environment.h"
#include "common/rpc/call_record.h"
#include "common/sync/mutex.h"

namespace assay::rpc {

// The part that does not depend on the messages. Deletes itself in OnDone.
//
// The call is finished when the handler has returned *and* the answer is there, whichever comes
// last: so the request lives as long as either may look at it.
class UnaryReactor : public grpc::ServerUnaryReactor {
 public:
  void OnCancel() final;
  void OnDone() final { delete this; }

 protected:
  UnaryReactor(CallEnvironment* environment, grpc::CallbackServerContext* context,
               std::string_view method)
      : record_(environment, context, method, CallShape::kUnary) {}

  // Refuses the call, or sends RunHandler to `executor`. Last thing before the reactor is
  // returned.
  void Begin(Executor& executor);
  // The handler's answer, exactly once. Any thread.
  void Answer(absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_);
  virtual void RunHandler() = 0;

  CallRecord record_;

 private:
  // OnCancel and OnDone run where gRPC notices, instead of being sent to its executor, which costs a
  // hand-over between threads for each call. Both are short and wait for nothing.
  bool InternalInlineable() final { return true; }

  void RunOnExecutor() ABSL_LOCKS_EXCLUDED(mutex_);
  void FinishWith(const absl::Status& status);

  Mutex mutex_;
  bool handler_returned_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> answer_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> thrown_ ABSL_GUARDED_BY(mutex_);  // Wins over the answer.
};

template <class Request, class Response>
class UnaryCall final : public UnaryReactor {
 public:
  using Handler = absl::AnyInvocable<void(CallContext, const Request&, Done<Response>) &&>;

  // The reactor to return from the service's method; owns itself. The handler runs on `executor`,
  // or on the environment's.
  static grpc::ServerUnaryReactor* Start(CallEnvironment* environment,
                                         grpc::CallbackServerContext* context,
                                         std::string_view method, const Request* request,
                                         Response* response, Handler handler,
                                         Executor* executor = nullptr) {
    auto* call = new UnaryCall(environment, context, method, request, response, std::move(handler));
    call->Begin(executor == nullptr ? environment->executor() : *executor);
    return call;
  }

 private:
  UnaryCall(CallEnvironment* environment, grpc::CallbackServerContext* context,
            std::string_view method, const Request* request, Response* response, Handler handler)
      : UnaryReactor(environment, context, method),
        request_(request),
        response_(response),
        handler_(std::move(handler)) {
    record_.AddRequestBytes(MessageBytes(*request));
  }

  void RunHandler() override {
    // Moved out, so that what the handler holds is not destroyed with the reactor on gRPC's thread.
    Handler handler = std::move(handler_);
    std::move(handler)(
        record_.context(), *request_,
        AnswerOnce<Response>(record_.method(), [this](absl::StatusOr<Response> answer) {
          if (answer.ok()) {
            *response_ = *std::move(answer);
            record_.AddResponseBytes(MessageBytes(*response_));
          }
          Answer(answer.status());
        }));
  }

  const Request* const request_;
  Response* const response_;
  Handler handler_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_UNARY_CALL_H_
