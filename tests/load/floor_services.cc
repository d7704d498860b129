#include "tests/load/floor_services.h"

#include <google/protobuf/arena.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <utility>

#include "assay/echo/v1/echo.grpc.pb.h"
#include "assay/judge/v1/judge_service.grpc.pb.h"
#include "common/json/json_value.h"
#include "common/sync/mutex.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace assay::load {
namespace {

namespace collector = opentelemetry::proto::collector::trace::v1;

class EchoFloor final
    : public echo::v1::EchoService::WithCallbackMethod_Echo<echo::v1::EchoService::Service> {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const echo::v1::EchoRequest* request,
                                 echo::v1::EchoResponse* response) override {
    response->set_text(request->text());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class IngestFloor final : public collector::TraceService::WithRawCallbackMethod_Export<
                              collector::TraceService::Service> {
 public:
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override {
    google::protobuf::Arena arena;
    auto* message =
        google::protobuf::Arena::CreateMessage<collector::ExportTraceServiceRequest>(&arena);
    grpc::ByteBuffer bytes(*request);  // Shares what it holds.
    grpc::ProtoBufferReader reader(&bytes);
    const bool parsed = message->ParseFromZeroCopyStream(&reader);
    const grpc::Slice empty;  // The serialized form of a response without fields.
    *response = grpc::ByteBuffer(&empty, 1);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(parsed ? grpc::Status::OK
                           : grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "cannot be parsed"));
    return reactor;
  }
};

// As long as what the judge service asks for the example's judgement.
std::string Question() {
  return R"({"model":"fake","messages":[{"role":"user","content":")" + std::string(2000, 'x') +
         R"("}]})";
}

class ModelCaller {
 public:
  ModelCaller(http::HttpClient* http, std::string url) : http_(http), url_(std::move(url)) {
    verdict_.set_assessment_name("tone");
    *verdict_.mutable_feedback()->mutable_value() = json::JsonFromString("yes");
    verdict_.mutable_feedback()->set_rationale("A fixed answer.");
  }

  // `done` gets whether the model answered.
  template <class Answered>
  void Ask(Answered answered) {
    http::HttpRequest request;
    request.method = "POST";
    request.url = url_ + "/chat/completions";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = question_;
    http_->Send(std::move(request), CallContext(),
                [answered](absl::StatusOr<http::HttpResponse> response) {
                  answered(response.ok() && response->status == 200 && !response->body.empty());
                });
  }

  const judge::v1::JudgeResponse& verdict() const { return verdict_; }

 private:
  http::HttpClient* const http_;
  const std::string url_;
  const std::string question_ = Question();
  judge::v1::JudgeResponse verdict_;
};

grpc::Status NoAnswer() { return {grpc::StatusCode::UNAVAILABLE, "the model did not answer"}; }

using StreamRequest = judge::v1::JudgeStreamRequest;
using StreamResponse = judge::v1::JudgeStreamResponse;

// Reads on without a bound, as a floor may; writes one answer after another.
class StreamFloor final : public grpc::ServerBidiReactor<StreamRequest, StreamResponse> {
 public:
  explicit StreamFloor(ModelCaller* model) : model_(model) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        MutexLock lock(&mutex_);
        no_more_ = true;
      }
      return FinishIfIdle();
    }
    {
      MutexLock lock(&mutex_);
      ++open_;
    }
    model_->Ask([this, key = request_.key()](bool answered) { Answer(key, answered); });
    StartRead(&request_);
  }

  void OnWriteDone(bool ok) override {
    const StreamResponse* following = nullptr;
    {
      MutexLock lock(&mutex_);
      waiting_.pop_front();
      --open_;
      if (!waiting_.empty()) following = &waiting_.front();
    }
    if (following != nullptr) return StartWrite(following);
    FinishIfIdle();
  }

  void OnDone() override { delete this; }

 private:
  void Answer(const std::string& key, bool answered) {
    StreamResponse response;
    response.set_key(key);
    if (answered) {
      *response.mutable_response() = model_->verdict();
    } else {
      response.mutable_error()->set_reason("NO_ANSWER");
    }
    const StreamResponse* first = nullptr;
    {
      MutexLock lock(&mutex_);
      waiting_.push_back(std::move(response));
      if (waiting_.size() > 1) return;
      first = &waiting_.front();
    }
    StartWrite(first);
  }

  void FinishIfIdle() {
    {
      MutexLock lock(&mutex_);
      if (!no_more_ || open_ > 0 || finished_) return;
      finished_ = true;
    }
    Finish(grpc::Status::OK);
  }

  ModelCaller* const model_;
  StreamRequest request_;

  Mutex mutex_;
  std::deque<StreamResponse> waiting_ ABSL_GUARDED_BY(mutex_);  // The first is being written.
  int open_ ABSL_GUARDED_BY(mutex_) = 0;  // Read, and not yet answered and written.
  bool no_more_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

using judge::v1::JudgeService;

class JudgeFloor final : public JudgeService::WithCallbackMethod_Judge<
                             JudgeService::WithCallbackMethod_JudgeStream<JudgeService::Service>> {
 public:
  JudgeFloor(http::HttpClient* http, const std::string& url) : model_(http, url) {}

  grpc::ServerUnaryReactor* Judge(grpc::CallbackServerContext* context,
                                  const judge::v1::JudgeRequest*,
                                  judge::v1::JudgeResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    model_.Ask([this, reactor, response](bool answered) {
      if (answered) *response = model_.verdict();
      reactor->Finish(answered ? grpc::Status::OK : NoAnswer());
    });
    return reactor;
  }

  grpc::ServerBidiReactor<StreamRequest, StreamResponse>* JudgeStream(
      grpc::CallbackServerContext*) override {
    return new StreamFloor(&model_);
  }

 private:
  ModelCaller model_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEchoFloor() { return std::make_unique<EchoFloor>(); }
std::unique_ptr<grpc::Service> MakeIngestFloor() { return std::make_unique<IngestFloor>(); }
std::unique_ptr<grpc::Service> MakeJudgeFloor(http::HttpClient* http, const std::string& url) {
  return std::make_unique<JudgeFloor>(http, url);
}

}  // namespace assay::load
