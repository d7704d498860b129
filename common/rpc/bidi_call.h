// A bidirectional stream of independent requests, each answered once, in the order in which answers
// come.
#ifndef ASSAY_COMMON_RPC_BIDI_CALL_H_
#define ASSAY_COMMON_RPC_BIDI_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "common/rpc/answer_once.h"
#include "common/rpc/call_environment.h"
#include "common/rpc/call_record.h"
#include "common/rpc/stream_errors.h"
#include "common/sync/mutex.h"

namespace assay::rpc {

struct BidiOptions {
  // Requests read whose answers have not been written yet. The next one is read only when there is
  // a slot: not reading is the flow control, and so the write backlog is bounded too.
  size_t max_in_flight = 64;
  Executor* executor = nullptr;  // Where handlers run; null: the runtime's.
};

// What outlives the reactor: answers may come after the client has gone.
template <class Request, class Response>
class BidiState final : public std::enable_shared_from_this<BidiState<Request, Response>> {
 public:
  // Called for each request, on the executor, several at a time. An error ends the whole stream
  // with it once what was answered before has been written; what concerns one request alone belongs
  // in its response.
  using Handler = std::function<void(CallContext, Request, Done<Response>)>;

  BidiState(CallEnvironment* environment, grpc::CallbackServerContext* context,
            std::string_view method, const BidiOptions& options, Handler handler,
            grpc::ServerBidiReactor<Request, Response>* reactor)
      : options_(options),
        handler_(std::move(handler)),
        reactor_(reactor),
        record_(environment, context, method, CallShape::kStream) {}

  CallRecord& record() { return record_; }

  void Begin() {
    {
      MutexLock lock(&mutex_);
      begun_ = true;
    }
    Advance();
  }

  // Ends the stream; what is queued, and what is still being worked on, is given up.
  void Abandon(absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      begun_ = true;
      if (!end_.has_value()) end_ = std::move(status);
      abandoned_ = true;
    }
    record_.context().cancel->Cancel();
    Advance();
  }

  void ReadDone(bool ok) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::unique_ptr<Request> request;
    {
      MutexLock lock(&mutex_);
      reading_ = false;
      request = std::move(read_buffer_);
      if (!ok) {
        half_closed_ = true;
        request.reset();
      } else if (end_.has_value()) {
        request.reset();
      } else {
        ++in_flight_;
      }
    }
    if (request != nullptr) {
      record_.AddRequestBytes(MessageBytes(*request));
      Executor& executor =
          options_.executor == nullptr ? record_.environment().executor() : *options_.executor;
      executor.Run([self = this->shared_from_this(), request = std::move(request)]() mutable {
        self->Handle(std::move(*request));
      });
    }
    Advance();
  }

  void WriteDone(bool ok) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      writing_.reset();
      --in_flight_;
      if (!ok) {
        if (!end_.has_value()) end_ = ReaderGone();
        abandoned_ = true;
      }
    }
    Advance();
  }

 private:
  void Handle(Request request) {
    {
      MutexLock lock(&mutex_);
      if (end_.has_value()) return;
    }
    CallContext context = record_.context();
    CallEnvironment& environment = record_.environment();
    context =
        context.WithDeadlineAtMost(environment.clock().Now() + environment.options().max_deadline);
    auto done = AnswerOnce<Response>(
        record_.method(), [self = this->shared_from_this()](absl::StatusOr<Response> answer) {
          self->Answer(std::move(answer));
        });
    try {
      handler_(std::move(context), std::move(request), std::move(done));
    } catch (const std::exception& e) {
      Answer(HandlerThrew(record_.method(), e.what()));
    } catch (...) {
      Answer(HandlerThrew(record_.method(), "not a std::exception"));
    }
  }

  void Answer(absl::StatusOr<Response> answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      if (end_.has_value()) return;
      if (answer.ok()) {
        queue_.push_back(std::make_unique<Response>(*std::move(answer)));
      } else {
        end_ = answer.status();
      }
    }
    if (!answer.ok()) record_.context().cancel->Cancel();
    Advance();
  }

  // Starts whatever may start now. Finishing waits until no other call to the reactor is being
  // made, so that the reactor is alive in each of them.
  void Advance() ABSL_LOCKS_EXCLUDED(mutex_) {
    Request* read = nullptr;
    const Response* write = nullptr;
    std::optional<absl::Status> finish;
    {
      MutexLock lock(&mutex_);
      if (!begun_ || finished_) return;
      if (abandoned_) queue_.clear();
      if (writing_ == nullptr && !queue_.empty()) {
        writing_ = std::move(queue_.front());
        queue_.pop_front();
        write = writing_.get();
        record_.AddResponseBytes(MessageBytes(*writing_));
      }
      if (!reading_ && !half_closed_ && !end_.has_value() && in_flight_ < options_.max_in_flight) {
        reading_ = true;
        starting_read_ = true;
        read_buffer_ = std::make_unique<Request>();
        read = read_buffer_.get();
      }
      if (half_closed_ && in_flight_ == 0 && !end_.has_value()) end_ = absl::OkStatus();
      if (end_.has_value() && writing_ == nullptr && queue_.empty() && !starting_read_) {
        finished_ = true;
        finish = end_;
      }
    }
    if (write != nullptr) reactor_->StartWrite(write);
    if (finish.has_value()) reactor_->Finish(record_.End(*finish));
    if (read != nullptr) {
      reactor_->StartRead(read);
      {
        MutexLock lock(&mutex_);
        starting_read_ = false;
      }
      Advance();
    }
  }

  const BidiOptions options_;
  const Handler handler_;
  grpc::ServerBidiReactor<Request, Response>* const reactor_;  // Alive until Finish was called.
  CallRecord record_;

  Mutex mutex_;
  std::unique_ptr<Request> read_buffer_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<Response>> queue_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Response> writing_ ABSL_GUARDED_BY(mutex_);
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool starting_read_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

template <class Request, class Response>
class BidiCall final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  using State = BidiState<Request, Response>;
  using Handler = typename State::Handler;

  static grpc::ServerBidiReactor<Request, Response>* Start(CallEnvironment* environment,
                                                           grpc::CallbackServerContext* context,
                                                           std::string_view method, Handler handler,
                                                           const BidiOptions& options) {
    auto* call = new BidiCall(environment, context, method, std::move(handler), options);
    Begin(call->state_);
    return call;
  }

  void OnReadDone(bool ok) override { state_->ReadDone(ok); }
  void OnWriteDone(bool ok) override { state_->WriteDone(ok); }
  void OnCancel() override { state_->Abandon(ReaderGone()); }
  void OnDone() override { delete this; }

 private:
  BidiCall(CallEnvironment* environment, grpc::CallbackServerContext* context,
           std::string_view method, Handler handler, const BidiOptions& options)
      : state_(std::make_shared<State>(environment, context, method, options, std::move(handler),
                                       this)) {}

  static void Begin(std::shared_ptr<State> state) {
    CallRecord& record = state->record();
    absl::Status admitted = record.Admit();
    if (admitted.ok()) {
      const bool welcome = record.environment().live_calls().SetEndStream(
          record.live_id(), [weak = std::weak_ptr<State>(state)](const absl::Status& status) {
            if (auto alive = weak.lock()) alive->Abandon(status);
          });
      if (!welcome) admitted = Draining();
    }
    if (admitted.ok()) {
      state->Begin();
    } else {
      state->Abandon(std::move(admitted));
    }
  }

  const std::shared_ptr<State> state_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_BIDI_CALL_H_
