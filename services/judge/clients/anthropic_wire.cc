#include "services/judge/clients/anthropic_wire.h"

#include <cmath>
#include <utility>

#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/json_object.h"

namespace assay::judge {
namespace {

std::string TextOf(const json::Node* node) {
  return node == nullptr ? "" : std::string(node->AsString().value_or(""));
}

int64_t CountOf(const json::Node* usage, std::string_view name) {
  const json::Node* count = usage == nullptr ? nullptr : usage->Find(name);
  return count == nullptr ? 0 : count->AsInt64().value_or(0);
}

std::string SystemText(const ModelRequest& request) {
  std::string text;
  for (const ChatMessage& message : request.messages) {
    if (message.role != ChatRole::kSystem) continue;
    StrAppend(&text, text.empty() ? "" : "\n\n", message.text);
  }
  return text;
}

// The turns, without the system's. `fallback` is the user's turn if there is none: a list without
// one is refused.
std::string Turns(const ModelRequest& request, const std::string& fallback) {
  std::string turns = "[";
  auto append = [&turns](std::string_view role, std::string_view text) {
    JsonObject turn;
    turn.String("role", role);
    turn.String("content", text);
    StrAppend(&turns, turns.size() > 1 ? "," : "", std::move(turn).Finish());
  };
  for (const ChatMessage& message : request.messages) {
    if (message.role == ChatRole::kUser) append("user", message.text);
    if (message.role == ChatRole::kAssistant) append("assistant", message.text);
  }
  if (turns.size() == 1) append("user", fallback);
  return turns + "]";
}

void AppendTool(const ModelRequest& request, JsonObject* body) {
  JsonObject tool;
  tool.String("name", kVerdictTool);
  tool.String("description", "Records the answer. Its input is the whole answer.");
  tool.Raw("input_schema", request.response_schema);
  body->Raw("tools", StrCat("[", std::move(tool).Finish(), "]"));
  JsonObject choice;
  choice.String("type", "tool");
  choice.String("name", kVerdictTool);
  body->Raw("tool_choice", std::move(choice).Finish());
}

}  // namespace

absl::StatusOr<std::string> AnthropicRequestBody(const ModelRequest& request,
                                                 const std::string& model) {
  JsonObject body;
  body.String("model", model);
  const auto limit = request.parameters.find("max_tokens");
  body.Number("max_tokens", limit == request.parameters.end() ? kDefaultMaxTokens : limit->second);
  const std::string system = SystemText(request);
  const std::string turns = Turns(request, system);
  if (!system.empty()) body.String("system", system);
  body.Raw("messages", turns);
  if (!request.response_schema.empty()) {
    const absl::StatusOr<json::Node> schema = json::ParseJson(request.response_schema);
    if (!schema.ok() || !schema->is_object()) {
      return InvalidField("response_schema", "must be a JSON Schema: one JSON object");
    }
    AppendTool(request, &body);
  }
  for (const auto& [name, value] : request.parameters) {
    if (!std::isfinite(value)) return InvalidField(StrCat("parameters.", name), "must be finite");
    if (name != "max_tokens" && name != "seed") body.Number(name, value);
  }
  return std::move(body).Finish();
}

absl::StatusOr<ModelResponse> ReadAnthropicAnswer(const ProviderOptions& options,
                                                  const std::string& model,
                                                  const std::string& body) {
  const absl::StatusOr<json::Node> root = json::ParseJson(body);
  if (!root.ok()) return UnreadableAnswer(options.uri_prefix, "what is no JSON");
  const json::Node* content = root->Find("content");
  if (content == nullptr || !content->is_array()) {
    return UnreadableAnswer(options.uri_prefix, "no content");
  }
  const std::string stop = TextOf(root->Find("stop_reason"));
  if (stop == "refusal") {
    return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_REFUSED",
                     StrCat(options.uri_prefix, " the model refuses"));
  }
  ModelResponse response;
  bool by_tool = false;
  for (const json::Node& block : content->children) {
    const std::string type = TextOf(block.Find("type"));
    if (type == "text" && !by_tool) response.text += TextOf(block.Find("text"));
    const json::Node* input = block.Find("input");
    if (type == "tool_use" && !by_tool && input != nullptr) {
      by_tool = true;
      response.text = input->ToJson();
    }
  }
  response.truncated = stop == "max_tokens";
  if (response.text.empty() && !response.truncated) {
    return UnreadableAnswer(options.uri_prefix, "neither text nor a tool call");
  }
  response.answered_by = TextOf(root->Find("model"));
  if (response.answered_by.empty()) response.answered_by = model;
  const json::Node* usage = root->Find("usage");
  response.input_tokens = CountOf(usage, "input_tokens") +
                          CountOf(usage, "cache_creation_input_tokens") +
                          CountOf(usage, "cache_read_input_tokens");
  response.output_tokens = CountOf(usage, "output_tokens");
  return response;
}

}  // namespace assay::judge
