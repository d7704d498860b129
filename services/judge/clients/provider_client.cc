#include "services/judge/clients/provider_client.h"

#include <cmath>
#include <optional>

#include "common/json/json_reader.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/model_windows.h"

namespace assay::judge {
namespace {

// Names of models come from anyone who may ask.
constexpr size_t kMaxRememberedModels = 1'000;

absl::Status CheckRequest(const ModelRequest& request) {
  for (const auto& [name, value] : request.parameters) {
    if (!std::isfinite(value)) return InvalidField(StrCat("parameters.", name), "must be finite");
  }
  // Schemas become parts of the request's JSON as they are.
  auto is_object = [](const std::string& text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    return first != text.npos && text[first] == '{' && json::ValidateJson(text).ok();
  };
  if (!request.response_schema.empty() && !is_object(request.response_schema)) {
    return InvalidField("response_schema", "must be a JSON Schema: one JSON object");
  }
  for (const ModelTool& tool : request.tools) {
    if (!is_object(tool.parameters_schema)) {
      return InvalidField("tools.parameters_schema", "must be a JSON Schema: one JSON object");
    }
  }
  return absl::OkStatus();
}

}  // namespace

struct ProviderClient::Call {
  ModelRequest request;
  CallContext context;
  Done<ModelResponse> done;
  std::string model;
  WireFeatures features;
  CredentialPtr credential;          // Where it is one that was asked for.
  std::vector<std::string> secrets;  // As they were sent.
};

void ProviderClient::Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) {
  auto call = std::make_unique<Call>();
  call->model = ModelNameFor(options_, request.model_uri);
  call->request = std::move(request);
  call->context = std::move(context);
  call->done = std::move(done);
  call->features = FeaturesOf(call->model);
  if (!call->request.tools.empty() && !call->features.schema_with_tools) {
    call->features.structured = false;
  }
  Send(std::move(call));
}

ModelTraits ProviderClient::Traits(std::string_view model_uri) const {
  const std::string model = ModelNameFor(options_, model_uri);
  Learned learned;
  {
    MutexLock lock(&mutex_);
    const auto found = learned_.find(model);
    if (found != learned_.end()) learned = found->second;
  }
  const WireFeatures& features = learned.features;
  int64_t tokens =
      options_.max_input_tokens > 0 ? options_.max_input_tokens : KnownInputTokens(model);
  if (learned.max_input_tokens > 0 && (tokens == 0 || learned.max_input_tokens < tokens)) {
    tokens = learned.max_input_tokens;
  }
  return {.tools = true,
          .token_probabilities = wire_->HasProbabilities() && features.probabilities,
          .schema_with_tools =
              options_.schema_with_tools && features.structured && features.schema_with_tools,
          .max_input_tokens = tokens};
}

WireFeatures ProviderClient::FeaturesOf(const std::string& model) const {
  MutexLock lock(&mutex_);
  const auto found = learned_.find(model);
  return found == learned_.end() ? WireFeatures() : found->second.features;
}

ProviderClient::Learned& ProviderClient::LearnedOf(const std::string& model) {
  if (learned_.size() >= kMaxRememberedModels) learned_.clear();
  return learned_[model];
}

std::shared_ptr<const http::AwsSigning> ProviderClient::Aws() const {
  if (options_.aws == nullptr || options_.aws_file == nullptr) return options_.aws;
  std::optional<http::AwsSigning> aws =
      ParseAwsCredentials(options_.aws_file->Get(), options_.aws_profile);
  if (!aws.has_value()) return options_.aws;
  aws->region = options_.aws->region;
  aws->service = options_.aws->service;
  return std::make_shared<const http::AwsSigning>(*std::move(aws));
}

absl::StatusOr<http::HttpRequest> ProviderClient::MakeRequest(Call& call) {
  ASSAY_RETURN_IF_ERROR(CheckRequest(call.request));
  ASSAY_ASSIGN_OR_RETURN(WireRequest wire, wire_->Write(call.request, call.model, call.features));
  http::HttpRequest request = {.method = "POST",
                               .url = options_.base_url + wire.path,
                               .headers = {{"Content-Type", "application/json"}},
                               .body = std::move(wire.body),
                               .timeout = options_.timeout,
                               .max_response_bytes = options_.max_response_bytes,
                               .peer = options_.peer,
                               .aws = call.credential == nullptr ? Aws() : call.credential->aws};
  call.secrets.clear();
  for (http::HttpHeader& header : wire.headers) request.headers.push_back(std::move(header));
  for (const http::HttpHeader& header : options_.headers) {
    call.secrets.push_back(header.value);
    request.headers.push_back(header);
  }
  if (options_.key != nullptr) {
    if (std::string key = options_.key->Get(); !key.empty()) {
      request.headers.push_back(wire_->KeyHeader(key));
      call.secrets.push_back(std::move(key));
    }
  }
  if (call.credential != nullptr && !call.credential->token.empty()) {
    request.headers.push_back({"Authorization", "Bearer " + call.credential->token});
    call.secrets.push_back(call.credential->token);
  }
  if (request.aws != nullptr) {
    call.secrets.push_back(request.aws->secret_access_key);
    call.secrets.push_back(request.aws->session_token);
  }
  if (!call.request.idempotency_key.empty() && wire_->TakesIdempotencyKey()) {
    // Another body needs another key.
    request.headers.push_back({"Idempotency-Key", call.request.idempotency_key +
                                                      (call.features.structured ? "" : "-text")});
  }
  return request;
}

void ProviderClient::Send(std::unique_ptr<Call> call) {
  if (options_.tokens == nullptr) return SendWithCredential(std::move(call));
  call->credential = options_.tokens->Fresh();
  if (call->credential != nullptr) return SendWithCredential(std::move(call));
  options_.tokens->Get(
      [this, call = std::move(call)](absl::StatusOr<CredentialPtr> credential) mutable {
        if (!credential.ok()) return std::move(call->done)(credential.status());
        call->credential = *std::move(credential);
        SendWithCredential(std::move(call));
      });
}

void ProviderClient::SendWithCredential(std::unique_ptr<Call> call) {
  absl::StatusOr<http::HttpRequest> request = MakeRequest(*call);
  if (!request.ok()) {
    dependencies_.executor->Run([call = std::move(call), error = request.status()]() mutable {
      std::move(call->done)(std::move(error));
    });
    return;
  }
  CallContext context = call->context;
  dependencies_.http->Send(
      *std::move(request), std::move(context),
      [this, call = std::move(call)](absl::StatusOr<http::HttpResponse> answer) mutable {
        OnAnswer(std::move(call), std::move(answer));
      });
}

void ProviderClient::OnAnswer(std::unique_ptr<Call> call,
                              absl::StatusOr<http::HttpResponse> answer) {
  if (!answer.ok()) {
    return std::move(call->done)(TransportError(options_.uri_prefix, answer.status()));
  }
  const absl::Time now = dependencies_.clock->Now();
  if (answer->status < 200 || answer->status > 299) {
    if (DropRefusedFeature(*call, *answer)) return Send(std::move(call));
    absl::Status error = AnswerError(options_.uri_prefix, call->secrets, *answer, now);
    LearnLimit(*call, *answer, error);
    if (call->credential != nullptr && ErrorReason(error) == "MODEL_UNAUTHORIZED") {
      options_.tokens->Forget(call->credential);
    }
    return std::move(call->done)(std::move(error));
  }
  absl::StatusOr<ModelResponse> response = wire_->Read(call->request, call->model, answer->body);
  if (response.ok()) response->rate_hints = ReadRateHints(answer->headers, now);
  std::move(call->done)(std::move(response));
}

void ProviderClient::LearnLimit(const Call& call, const http::HttpResponse& answer,
                                const absl::Status& error) {
  if (ErrorReason(error) != "MODEL_CONTEXT_OVERFLOW") return;
  const std::optional<int64_t> tokens = InputTokensIn(ReadProviderError(answer).message);
  if (!tokens.has_value()) return;
  MutexLock lock(&mutex_);
  LearnedOf(call.model).max_input_tokens = *tokens;
}

bool ProviderClient::DropRefusedFeature(Call& call, const http::HttpResponse& answer) {
  if (answer.status != 400 && answer.status != 404 && answer.status != 422) return false;
  const RefusedFeature refused = wire_->RefusedBy(answer.status, ReadProviderError(answer));
  const ModelRequest& request = call.request;
  bool WireFeatures::*feature = nullptr;
  if (refused == RefusedFeature::kSchema || refused == RefusedFeature::kStructured) {
    if (!request.response_schema.empty()) feature = &WireFeatures::structured;
  } else if (refused == RefusedFeature::kProbabilities) {
    if (request.token_probabilities) feature = &WireFeatures::probabilities;
  } else if (refused == RefusedFeature::kMaxTokensName) {
    if (request.parameters.contains("max_tokens")) feature = &WireFeatures::usual_max_tokens_name;
  }
  if (feature == nullptr || !(call.features.*feature)) return false;
  call.features.*feature = false;
  if (refused == RefusedFeature::kSchema) return true;
  // Without tools the model may take a schema all the same; a question without any will tell.
  if (feature == &WireFeatures::structured && !request.tools.empty()) {
    feature = &WireFeatures::schema_with_tools;
  }
  MutexLock lock(&mutex_);
  LearnedOf(call.model).features.*feature = false;
  return true;
}

}  // namespace assay::judge
