#include "services/judge/clients/openai_wire.h"

#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/json_object.h"

namespace assay::judge {
namespace {

constexpr char kSchemaLead[] =
    "Answer with JSON only, without any text around it. The JSON must obey this JSON Schema: ";

std::string_view RoleName(ChatRole role) {
  switch (role) {
    case ChatRole::kSystem:
      return "system";
    case ChatRole::kUser:
      return "user";
    case ChatRole::kAssistant:
      return "assistant";
    case ChatRole::kTool:
      return "tool";
  }
  return "user";
}

std::string Message(ChatRole role, std::string_view text) {
  JsonObject message;
  message.String("role", RoleName(role));
  message.String("content", text);
  return std::move(message).Finish();
}

// OpenAI takes letters, digits, _ and -, up to 64.
std::string SchemaName(const std::string& name) {
  std::string clean = name.substr(0, 64);
  for (char& c : clean) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  }
  return clean.empty() ? "answer" : clean;
}

std::string ResponseFormat(const ModelRequest& request) {
  JsonObject schema;
  schema.String("name", SchemaName(request.schema_name));
  schema.Raw("strict", "true");
  schema.Raw("schema", request.response_schema);
  JsonObject format;
  format.String("type", "json_schema");
  format.Raw("json_schema", std::move(schema).Finish());
  return std::move(format).Finish();
}

std::string Messages(const ModelRequest& request, bool spell_out_schema) {
  std::string messages = "[";
  auto append = [&messages](const std::string& message) {
    if (messages.size() > 1) messages.push_back(',');
    messages.append(message);
  };
  if (spell_out_schema) {
    append(Message(ChatRole::kSystem, StrCat(kSchemaLead, request.response_schema)));
  }
  for (const ChatMessage& message : request.messages) append(Message(message.role, message.text));
  return messages + "]";
}

std::string TextOf(const json::Node* node) {
  return node == nullptr ? "" : std::string(node->AsString().value_or(""));
}

int64_t CountOf(const json::Node* usage, std::string_view name) {
  const json::Node* count = usage == nullptr ? nullptr : usage->Find(name);
  return count == nullptr ? 0 : count->AsInt64().value_or(0);
}

absl::Status Refused(const ProviderOptions& options, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_REFUSED",
                   StrCat(options.uri_prefix, " ", json::PreviewOf(what, 300)));
}

}  // namespace

absl::StatusOr<std::string> OpenAiRequestBody(const ProviderOptions& options,
                                              const ModelRequest& request, const std::string& model,
                                              bool structured) {
  const bool has_schema = !request.response_schema.empty();
  if (has_schema) {
    const absl::StatusOr<json::Node> schema = json::ParseJson(request.response_schema);
    if (!schema.ok() || !schema->is_object()) {
      return InvalidField("response_schema", "must be a JSON Schema: one JSON object");
    }
  }
  JsonObject body;
  body.String("model", model);
  body.Raw("messages", Messages(request, has_schema && !structured));
  if (has_schema && structured) body.Raw("response_format", ResponseFormat(request));
  for (const auto& [name, value] : request.parameters) {
    if (!std::isfinite(value)) return InvalidField(StrCat("parameters.", name), "must be finite");
    const bool renamed = name == "max_tokens" && options.max_completion_tokens;
    body.Number(renamed ? "max_completion_tokens" : name, value);
  }
  return std::move(body).Finish();
}

absl::StatusOr<ModelResponse> ReadOpenAiAnswer(const ProviderOptions& options,
                                               const std::string& model, const std::string& body) {
  const absl::StatusOr<json::Node> root = json::ParseJson(body);
  if (!root.ok()) return UnreadableAnswer(options.uri_prefix, "what is no JSON");
  const json::Node* choices = root->Find("choices");
  if (choices == nullptr || !choices->is_array() || choices->children.empty()) {
    return UnreadableAnswer(options.uri_prefix, "no choices");
  }
  const json::Node& choice = choices->children.front();
  const json::Node* message = choice.Find("message");
  const std::string finish = TextOf(choice.Find("finish_reason"));
  if (message == nullptr) return UnreadableAnswer(options.uri_prefix, "no message");
  if (const std::string refusal = TextOf(message->Find("refusal")); !refusal.empty()) {
    return Refused(options, StrCat("the model refuses: ", refusal));
  }
  if (finish == "content_filter") return Refused(options, "the provider's content filter refuses");
  const json::Node* content = message->Find("content");
  if (content == nullptr || !content->is_string()) {
    return UnreadableAnswer(options.uri_prefix, "a message without text");
  }
  ModelResponse response;
  response.text = content->text;
  response.truncated = finish == "length";
  response.answered_by = TextOf(root->Find("model"));
  if (response.answered_by.empty()) response.answered_by = model;
  const json::Node* usage = root->Find("usage");
  response.input_tokens = CountOf(usage, "prompt_tokens");
  response.output_tokens = CountOf(usage, "completion_tokens");
  return response;
}

bool SaysNoStructuredOutput(int status, const std::string& body) {
  if (status != 400) return false;
  const std::string lower = absl::AsciiStrToLower(body.substr(0, 16'384));
  return absl::StrContains(lower, "response_format") || absl::StrContains(lower, "json_schema") ||
         absl::StrContains(lower, "structured output");
}

}  // namespace assay::judge
