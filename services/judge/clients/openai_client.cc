#include "services/judge/clients/openai_client.h"

#include <utility>

#include "common/strings/strings.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/openai_wire.h"

namespace assay::judge {

struct OpenAiClient::Call {
  ModelRequest request;
  CallContext context;
  Done<ModelResponse> done;
  std::string model;
  bool structured = false;
};

void OpenAiClient::Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) {
  auto call = std::make_unique<Call>();
  call->model = ModelNameFor(options_, request.model_uri);
  call->structured = !request.response_schema.empty();
  call->request = std::move(request);
  call->context = std::move(context);
  call->done = std::move(done);
  if (call->structured) {
    MutexLock lock(&mutex_);
    call->structured = !unstructured_models_.contains(call->model);
  }
  Send(std::move(call));
}

void OpenAiClient::Send(std::unique_ptr<Call> call) {
  absl::StatusOr<std::string> body =
      OpenAiRequestBody(options_, call->request, call->model, call->structured);
  if (!body.ok()) {
    dependencies_.executor->Run([call = std::move(call), error = body.status()]() mutable {
      std::move(call->done)(std::move(error));
    });
    return;
  }
  http::HttpRequest request = {.method = "POST",
                               .url = options_.base_url + "/chat/completions",
                               .headers = {{"Content-Type", "application/json"}},
                               .body = *std::move(body),
                               .timeout = options_.timeout,
                               .max_response_bytes = options_.max_response_bytes};
  if (!options_.api_key.empty()) {
    request.headers.push_back({"Authorization", "Bearer " + options_.api_key});
  }
  if (!call->request.idempotency_key.empty()) {
    // Another body needs another key.
    request.headers.push_back(
        {"Idempotency-Key", call->request.idempotency_key + (call->structured ? "" : "-text")});
  }
  CallContext context = call->context;
  dependencies_.http->Send(
      std::move(request), std::move(context),
      [this, call = std::move(call)](absl::StatusOr<http::HttpResponse> answer) mutable {
        OnAnswer(std::move(call), std::move(answer));
      });
}

void OpenAiClient::OnAnswer(std::unique_ptr<Call> call, absl::StatusOr<http::HttpResponse> answer) {
  if (!answer.ok()) {
    return std::move(call->done)(TransportError(options_.uri_prefix, answer.status()));
  }
  if (call->structured && SaysNoStructuredOutput(answer->status, answer->body)) {
    {
      MutexLock lock(&mutex_);
      unstructured_models_.insert(call->model);
    }
    call->structured = false;
    return Send(std::move(call));
  }
  if (answer->status < 200 || answer->status > 299) {
    return std::move(call->done)(
        AnswerError(options_.uri_prefix, options_.api_key, *answer, dependencies_.clock->Now()));
  }
  std::move(call->done)(ReadOpenAiAnswer(options_, call->model, answer->body));
}

}  // namespace assay::judge
