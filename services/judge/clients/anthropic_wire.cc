#include "services/judge/clients/anthropic_wire.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/json/safe_json.h"
#include "common/strings/strings.h"
#include "services/judge/clients/json_object.h"
#include "services/judge/clients/wire_json.h"

namespace assay::judge {
namespace {

constexpr char kApiVersion[] = "2023-06-01";

std::string TextBlock(const std::string& text) {
  JsonObject block;
  block.String("type", "text");
  block.String("text", text);
  return std::move(block).Finish();
}

// The blocks of one message; none for an empty text, which is refused.
void AppendBlocks(const ChatMessage& message, std::vector<std::string>* blocks) {
  if (message.role == ChatRole::kTool) {
    JsonObject block;
    block.String("type", "tool_result");
    block.String("tool_use_id", message.tool_call_id);
    block.String("content", message.text);
    blocks->push_back(std::move(block).Finish());
    return;
  }
  if (!message.text.empty()) blocks->push_back(TextBlock(message.text));
  for (const ModelToolCall& call : message.tool_calls) {
    JsonObject block;
    block.String("type", "tool_use");
    block.String("id", call.id);
    block.String("name", call.name);
    block.Raw("input", ArgumentsObject(call.arguments));
    blocks->push_back(std::move(block).Finish());
  }
}

// The turns, without the system's; results of tools are the user's, all of one turn in one message.
// `fallback` is the user's turn if there is none: a list without one is refused.
std::string Turns(const ModelRequest& request, const std::string& fallback) {
  std::vector<std::string> turns;
  auto append = [&turns](std::string_view role, const std::string& content, bool is_text) {
    JsonObject turn;
    turn.String("role", role);
    is_text ? turn.String("content", content) : turn.Raw("content", content);
    turns.push_back(std::move(turn).Finish());
  };
  const std::vector<ChatMessage>& messages = request.messages;
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role == ChatRole::kSystem) continue;
    const bool is_assistant = message.role == ChatRole::kAssistant;
    if (message.role != ChatRole::kTool && message.tool_calls.empty()) {
      append(is_assistant ? "assistant" : "user", message.text, true);
      continue;
    }
    std::vector<std::string> blocks;
    AppendBlocks(message, &blocks);
    while (message.role == ChatRole::kTool && i + 1 < messages.size() &&
           messages[i + 1].role == ChatRole::kTool) {
      AppendBlocks(messages[++i], &blocks);
    }
    append(is_assistant ? "assistant" : "user", JsonList(blocks), false);
  }
  if (turns.empty()) append("user", fallback, true);
  return JsonList(turns);
}

std::string Tool(const std::string& name, const std::string& description,
                 const std::string& schema) {
  JsonObject tool;
  tool.String("name", name);
  tool.String("description", description);
  tool.Raw("input_schema", schema);
  return std::move(tool).Finish();
}

void AppendTools(const ModelRequest& request, bool by_tool, JsonObject* body) {
  std::vector<std::string> tools;
  for (const ModelTool& tool : ToolsOf(request)) {
    tools.push_back(Tool(tool.name, tool.description, tool.parameters_schema));
  }
  if (by_tool) {
    tools.push_back(Tool(kVerdictTool, kVerdictToolDescription, request.response_schema));
  }
  if (tools.empty()) return;
  body->Raw("tools", JsonList(tools));
  if (by_tool && request.tools.empty()) {
    JsonObject choice;
    choice.String("type", "tool");
    choice.String("name", kVerdictTool);
    body->Raw("tool_choice", std::move(choice).Finish());
  } else if (by_tool) {
    body->Raw("tool_choice", R"({"type":"any"})");
  } else if (request.tools.empty()) {
    body->Raw("tool_choice", R"({"type":"none"})");
  }
}

void ReadContent(const json::Node& content, ModelResponse* response) {
  bool by_tool = false;
  for (const json::Node& block : content.children) {
    const std::string type = TextOf(block.Find("type"));
    if (type == "text" && !by_tool) response->text += TextOf(block.Find("text"));
    const json::Node* input = block.Find("input");
    if (type != "tool_use" || input == nullptr) continue;
    const std::string name = TextOf(block.Find("name"));
    if (name.empty()) continue;
    if (name != kVerdictTool) {
      response->tool_calls.push_back({TextOf(block.Find("id")), name, input->ToJson()});
    } else if (!by_tool) {
      by_tool = true;
      response->text = input->ToJson();
    }
  }
  // Who has answered needs no more tools.
  if (by_tool) response->tool_calls.clear();
}

}  // namespace

absl::StatusOr<WireRequest> AnthropicWire::Write(const ModelRequest& request,
                                                 const std::string& model,
                                                 const WireFeatures& features) const {
  const bool has_schema = !request.response_schema.empty();
  const bool by_tool = has_schema && features.structured;
  JsonObject body;
  body.String("model", model);
  const auto limit = request.parameters.find("max_tokens");
  body.Number("max_tokens", limit == request.parameters.end() ? kDefaultMaxTokens : limit->second);
  const std::string plain_system = SystemText(request, "");
  const std::string system =
      SystemText(request, has_schema && !by_tool ? SchemaInWords(request.response_schema) : "");
  if (!system.empty()) body.String("system", system);
  body.Raw("messages", Turns(request, plain_system));
  AppendTools(request, by_tool, &body);
  for (const auto& [name, value] : request.parameters) {
    if (name == "seed") {
      return NoSuchParameter("Anthropic", name, "temperature, top_p and max_tokens");
    }
    if (name != "max_tokens") body.Number(name, value);
  }
  return WireRequest{
      "/v1/messages", {{"anthropic-version", kApiVersion}}, std::move(body).Finish()};
}

absl::StatusOr<ModelResponse> AnthropicWire::Read(const ModelRequest& request,
                                                  const std::string& model,
                                                  const std::string& body) const {
  const absl::StatusOr<json::Node> root = json::ParseJson(body);
  if (!root.ok()) return UnreadableAnswer(uri_prefix_, "what is no JSON");
  const json::Node* content = root->Find("content");
  if (content == nullptr || !content->is_array()) {
    return UnreadableAnswer(uri_prefix_, "no content");
  }
  const std::string stop = TextOf(root->Find("stop_reason"));
  if (stop == "refusal") return RefusedAnswer(uri_prefix_, "the model refuses");
  ModelResponse response;
  ReadContent(*content, &response);
  response.truncated = stop == "max_tokens" || stop == "model_context_window_exceeded";
  if (response.text.empty() && response.tool_calls.empty() && !response.truncated) {
    return UnreadableAnswer(uri_prefix_, "neither text nor a tool call");
  }
  response.answered_by = TextOf(root->Find("model"));
  if (response.answered_by.empty()) response.answered_by = model;
  const json::Node* usage = root->Find("usage");
  response.cached_input_tokens = CountOf(usage, "cache_read_input_tokens");
  response.input_tokens = CountOf(usage, "input_tokens") +
                          CountOf(usage, "cache_creation_input_tokens") +
                          response.cached_input_tokens;
  response.output_tokens = CountOf(usage, "output_tokens");
  return response;
}

RefusedFeature AnthropicWire::RefusedBy(int, const ProviderError& error) const {
  const std::string lower = absl::AsciiStrToLower(error.message);
  if (absl::StrContains(lower, "input_schema")) return RefusedFeature::kSchema;
  const bool about_tools =
      absl::StrContains(lower, "tool_choice") || absl::StrContains(lower, "tool use");
  return about_tools ? RefusedFeature::kStructured : RefusedFeature::kNone;
}

}  // namespace assay::judge
