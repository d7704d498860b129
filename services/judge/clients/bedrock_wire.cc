#include "services/judge/clients/bedrock_wire.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/json/safe_json.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/json_object.h"
#include "services/judge/clients/wire_json.h"

namespace assay::judge {
namespace {

std::string Wrapped(std::string_view name, std::string_view json) {
  JsonObject object;
  object.Raw(name, json);
  return std::move(object).Finish();
}

std::string TextBlock(const std::string& text) {
  JsonObject block;
  block.String("text", text);
  return std::move(block).Finish();
}

void AppendBlocks(const ChatMessage& message, std::vector<std::string>* blocks) {
  if (message.role == ChatRole::kTool) {
    JsonObject result;
    result.String("toolUseId", message.tool_call_id);
    result.Raw("content", JsonList({TextBlock(message.text)}));
    blocks->push_back(Wrapped("toolResult", std::move(result).Finish()));
    return;
  }
  if (!message.text.empty()) blocks->push_back(TextBlock(message.text));
  for (const ModelToolCall& call : message.tool_calls) {
    JsonObject use;
    use.String("toolUseId", call.id);
    use.String("name", call.name);
    use.Raw("input", ArgumentsObject(call.arguments));
    blocks->push_back(Wrapped("toolUse", std::move(use).Finish()));
  }
}

std::string Turns(const ModelRequest& request, const std::string& fallback) {
  std::vector<std::string> turns;
  std::vector<std::string> blocks;
  bool is_assistant = false;
  auto close = [&] {
    if (blocks.empty()) return;
    JsonObject turn;
    turn.String("role", is_assistant ? "assistant" : "user");
    turn.Raw("content", JsonList(blocks));
    turns.push_back(std::move(turn).Finish());
    blocks.clear();
  };
  for (const ChatMessage& message : request.messages) {
    if (message.role == ChatRole::kSystem) continue;
    if ((message.role == ChatRole::kAssistant) != is_assistant) close();
    is_assistant = message.role == ChatRole::kAssistant;
    AppendBlocks(message, &blocks);
  }
  close();
  if (turns.empty()) {
    is_assistant = false;
    blocks.push_back(TextBlock(fallback));
    close();
  }
  return JsonList(turns);
}

std::string Tool(const std::string& name, const std::string& description,
                 const std::string& schema) {
  JsonObject spec;
  spec.String("name", name);
  spec.String("description", description);
  spec.Raw("inputSchema", Wrapped("json", schema));
  return Wrapped("toolSpec", std::move(spec).Finish());
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
  JsonObject config;
  config.Raw("tools", JsonList(tools));
  if (by_tool && request.tools.empty()) {
    JsonObject choice;
    choice.String("name", kVerdictTool);
    config.Raw("toolChoice", Wrapped("tool", std::move(choice).Finish()));
  } else if (by_tool) {
    config.Raw("toolChoice", R"({"any":{}})");
  }
  body->Raw("toolConfig", std::move(config).Finish());
}

absl::StatusOr<std::string> InferenceConfig(const ModelRequest& request) {
  JsonObject config;
  for (const auto& [name, value] : request.parameters) {
    if (name == "max_tokens") {
      config.Number("maxTokens", value);
    } else if (name == "temperature") {
      config.Number("temperature", value);
    } else if (name == "top_p") {
      config.Number("topP", value);
    } else {
      return NoSuchParameter("Amazon Bedrock", name, "temperature, top_p and max_tokens");
    }
  }
  return std::move(config).Finish();
}

void ReadContent(const json::Node& content, ModelResponse* response) {
  bool by_tool = false;
  for (const json::Node& block : content.children) {
    if (!by_tool) response->text += TextOf(block.Find("text"));
    const json::Node* use = block.Find("toolUse");
    const json::Node* input = Descend(use, {"input"});
    if (input == nullptr) continue;
    const std::string name = TextOf(use->Find("name"));
    if (name.empty()) continue;
    if (name != kVerdictTool) {
      response->tool_calls.push_back({TextOf(use->Find("toolUseId")), name, input->ToJson()});
    } else if (!by_tool) {
      by_tool = true;
      response->text = input->ToJson();
    }
  }
  if (by_tool) response->tool_calls.clear();
}

}  // namespace

absl::StatusOr<WireRequest> BedrockWire::Write(const ModelRequest& request,
                                               const std::string& model,
                                               const WireFeatures& features) const {
  ASSAY_ASSIGN_OR_RETURN(const std::string segment, PathSegment(model));
  ASSAY_ASSIGN_OR_RETURN(const std::string config, InferenceConfig(request));
  const bool has_schema = !request.response_schema.empty();
  const bool by_tool = has_schema && features.structured;
  const std::string plain_system = SystemText(request, "");
  const std::string system =
      SystemText(request, has_schema && !by_tool ? SchemaInWords(request.response_schema) : "");
  JsonObject body;
  body.Raw("messages", Turns(request, plain_system));
  if (!system.empty()) body.Raw("system", JsonList({TextBlock(system)}));
  if (!request.parameters.empty()) body.Raw("inferenceConfig", config);
  AppendTools(request, by_tool, &body);
  return WireRequest{StrCat("/model/", segment, "/converse"), {}, std::move(body).Finish()};
}

absl::StatusOr<ModelResponse> BedrockWire::Read(const ModelRequest& request,
                                                const std::string& model,
                                                const std::string& body) const {
  const absl::StatusOr<json::Node> root = json::ParseJson(body);
  if (!root.ok()) return UnreadableAnswer(uri_prefix_, "what is no JSON");
  const json::Node* content = Descend(&*root, {"output", "message", "content"});
  const std::string stop = TextOf(root->Find("stopReason"));
  if (stop == "guardrail_intervened" || stop == "content_filtered") {
    return RefusedAnswer(uri_prefix_, "a guardrail or content filter refuses");
  }
  if (content == nullptr || !content->is_array()) {
    return UnreadableAnswer(uri_prefix_, "no content");
  }
  ModelResponse response;
  ReadContent(*content, &response);
  response.truncated = stop == "max_tokens" || stop == "model_context_window_exceeded";
  if (response.text.empty() && response.tool_calls.empty() && !response.truncated) {
    return UnreadableAnswer(uri_prefix_, "neither text nor a tool call");
  }
  response.answered_by = model;  // Bedrock does not name it.
  const json::Node* usage = root->Find("usage");
  response.cached_input_tokens = CountOf(usage, "cacheReadInputTokens");
  response.input_tokens = CountOf(usage, "inputTokens") + response.cached_input_tokens +
                          CountOf(usage, "cacheWriteInputTokens");
  response.output_tokens = CountOf(usage, "outputTokens");
  return response;
}

RefusedFeature BedrockWire::RefusedBy(int, const ProviderError& error) const {
  const std::string lower = absl::AsciiStrToLower(error.message);
  if (absl::StrContains(lower, "inputschema")) return RefusedFeature::kSchema;
  for (const char* word : {"tool use", "tooluse", "toolconfig", "toolchoice", "tool_choice"}) {
    if (absl::StrContains(lower, word)) return RefusedFeature::kStructured;
  }
  return RefusedFeature::kNone;
}

}  // namespace assay::judge
