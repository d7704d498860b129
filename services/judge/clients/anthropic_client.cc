#include "services/judge/clients/anthropic_client.h"

#include "services/judge/clients/anthropic_wire.h"
#include "services/judge/clients/attempt_error.h"

namespace assay::judge {
namespace {

constexpr char kApiVersion[] = "2023-06-01";

}  // namespace

void AnthropicClient::Complete(ModelRequest request, CallContext context,
                               Done<ModelResponse> done) {
  std::string model = ModelNameFor(options_, request.model_uri);
  absl::StatusOr<std::string> body = AnthropicRequestBody(request, model);
  if (!body.ok()) {
    dependencies_.executor->Run([done = std::move(done), error = body.status()]() mutable {
      std::move(done)(std::move(error));
    });
    return;
  }
  http::HttpRequest http_request = {
      .method = "POST",
      .url = options_.base_url + "/v1/messages",
      .headers = {{"Content-Type", "application/json"}, {"anthropic-version", kApiVersion}},
      .body = *std::move(body),
      .timeout = options_.timeout,
      .max_response_bytes = options_.max_response_bytes};
  if (!options_.api_key.empty()) http_request.headers.push_back({"x-api-key", options_.api_key});
  if (!request.idempotency_key.empty()) {
    http_request.headers.push_back({"Idempotency-Key", request.idempotency_key});
  }
  dependencies_.http->Send(
      std::move(http_request), std::move(context),
      [this, model = std::move(model),
       done = std::move(done)](absl::StatusOr<http::HttpResponse> answer) mutable {
        if (!answer.ok()) {
          return std::move(done)(TransportError(options_.uri_prefix, answer.status()));
        }
        if (answer->status < 200 || answer->status > 299) {
          return std::move(done)(AnswerError(options_.uri_prefix, options_.api_key, *answer,
                                             dependencies_.clock->Now()));
        }
        std::move(done)(ReadAnthropicAnswer(options_, model, answer->body));
      });
}

}  // namespace assay::judge
