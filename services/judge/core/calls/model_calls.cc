#include "services/judge/core/calls/model_calls.h"

#include <utility>

#include "absl/status/statusor.h"
#include "common/json/canonical.h"
#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "common/judging/judge_definition.h"
#include "common/names/random_id.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/calls/outer_call.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxPromptBytes = 4 << 20;
constexpr size_t kMaxSchemaBytes = 64 << 10;
constexpr double kMaxTemperature = 2.0;

absl::StatusOr<ChatRole> RoleOf(common::v1::Role role, std::string_view field) {
  switch (role) {
    case common::v1::ROLE_SYSTEM:
      return ChatRole::kSystem;
    case common::v1::ROLE_USER:
      return ChatRole::kUser;
    case common::v1::ROLE_ASSISTANT:
      return ChatRole::kAssistant;
    default:
      return InvalidField(field, "allowed: ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT");
  }
}

absl::StatusOr<std::vector<ChatMessage>> MessagesOf(const v1::CompleteRequest& request) {
  if (request.messages().empty()) return InvalidField("messages", "at least one is required");
  std::vector<ChatMessage> messages;
  size_t bytes = 0;
  for (int i = 0; i < request.messages_size(); ++i) {
    const std::string field = StrCat("messages[", i, "]");
    ChatMessage message;
    ASSAY_ASSIGN_OR_RETURN(message.role, RoleOf(request.messages(i).role(), field + ".role"));
    for (const common::v1::ContentPart& part : request.messages(i).parts()) {
      if (part.kind_case() != common::v1::ContentPart::kText) {
        return InvalidField(field + ".parts", "only text is taken yet", "UNSUPPORTED_CONTENT");
      }
      message.text += part.text();
    }
    bytes += message.text.size();
    messages.push_back(std::move(message));
  }
  if (bytes > kMaxPromptBytes) {
    return InvalidField("messages", StrCat("at most ", kMaxPromptBytes, " bytes are allowed"));
  }
  return messages;
}

absl::Status CheckParameters(const v1::CompleteRequest& request) {
  if (!request.parent().empty()) {
    ASSAY_RETURN_IF_ERROR(names::ExperimentName::Parse(request.parent(), "parent").status());
  }
  if (!request.model().empty()) {
    ASSAY_RETURN_IF_ERROR(judging::ValidateModelUri(request.model(), "model"));
  }
  if (request.response_schema().size() > kMaxSchemaBytes) {
    return InvalidField("response_schema",
                        StrCat("at most ", kMaxSchemaBytes, " bytes are allowed"));
  }
  if (!request.response_schema().empty() && !json::ValidateJson(request.response_schema()).ok()) {
    return InvalidField("response_schema", "it must be JSON", "INVALID_JSON");
  }
  if (request.max_output_tokens() < 0) {
    return InvalidField("max_output_tokens", "it must not be negative");
  }
  if (request.has_temperature() &&
      !(request.temperature() >= 0 && request.temperature() <= kMaxTemperature)) {
    return InvalidField("temperature", "it lies from 0 to 2");
  }
  return absl::OkStatus();
}

std::string ResponseBytes(const ModelResponse& model) {
  v1::CompleteResponse response;
  response.set_text(model.text);
  response.set_answered_by(model.answered_by);
  response.set_truncated(model.truncated);
  response.mutable_usage()->set_input_tokens(model.input_tokens);
  response.mutable_usage()->set_output_tokens(model.output_tokens);
  response.mutable_usage()->set_model_calls(model.attempts);
  response.set_model(model.model_uri);
  response.set_cache_hit(model.cache_hit);
  if (model.cost_usd.has_value()) response.set_cost_usd(*model.cost_usd);
  return response.SerializeAsString();
}

}  // namespace

void ModelCalls::Complete(const CallContext& context, const v1::CompleteRequest& request,
                          Done<v1::CompleteResponse> done) {
  absl::Status valid = CheckParameters(request);
  // A scorer that calls back spends the budget of the judgement that asked it.
  const std::string& payer = context.experiment.empty() ? request.parent() : context.experiment;
  if (!request.parent().empty()) valid.Update(CheckOuterCall(context, request.parent(), "parent"));
  if (!valid.ok()) return std::move(done)(valid);
  absl::StatusOr<std::vector<ChatMessage>> messages = MessagesOf(request);
  if (!messages.ok()) return std::move(done)(messages.status());
  ModelRequest question;
  question.model_uri = request.model().empty() ? default_model_ : request.model();
  question.messages = *std::move(messages);
  question.response_schema = request.response_schema();
  if (!question.response_schema.empty()) question.schema_name = "answer";
  if (request.max_output_tokens() > 0) {
    question.parameters["max_tokens"] = request.max_output_tokens();
  }
  if (request.has_temperature()) question.parameters["temperature"] = request.temperature();
  question.account.experiment = payer;
  question.bypass_cache = request.bypass_cache();
  question.idempotency_key =
      request.request_id().empty()
          ? names::RandomId("complete")
          : json::Sha256Hex(StrCat(context.principal, "\n", request.request_id())).substr(0, 32);
  const bool is_recorded = !request.request_id().empty();
  recorded_.Do(
      MakeRequestKey(context, "ModelService/Complete", request),
      [this, context, is_recorded,
       question = std::move(question)](Done<CallAnswer> answered) mutable {
        RecordedCalls::Outliving work =
            is_recorded ? recorded_.Outlive(context) : RecordedCalls::Outliving{context, nullptr};
        models_.Complete(std::move(question), std::move(work.context),
                         [answered = std::move(answered), hold = std::move(work.hold)](
                             absl::StatusOr<ModelResponse> model) mutable {
                           if (!model.ok()) return std::move(answered)(model.status());
                           std::move(answered)(CallAnswer{ResponseBytes(*model)});
                         });
      },
      [done = std::move(done)](absl::StatusOr<std::string> bytes) mutable {
        if (!bytes.ok()) return std::move(done)(bytes.status());
        v1::CompleteResponse response;
        if (!response.ParseFromString(*bytes)) {
          return std::move(done)(MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                                           "a recorded answer cannot be read"));
        }
        std::move(done)(std::move(response));
      });
}

}  // namespace assay::judge
