#include "tests/fake_llm/chat.h"

#include <utility>

#include "common/json/json_reader.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::fake_llm {
namespace {

using json::JsonString;
using json::Node;

constexpr std::string_view kSchemaInText = "JSON Schema: ";

std::string TextOf(const Node* node) {
  return node == nullptr ? "" : std::string(node->AsString().value_or(""));
}

// A string, or a list of parts with text.
std::string ContentText(const Node* content) {
  if (content == nullptr) return "";
  if (content->is_string()) return content->text;
  std::string text;
  for (const Node& part : content->children) text += TextOf(part.Find("text"));
  return text;
}

const Node* Descend(const Node& root, std::initializer_list<std::string_view> path) {
  const Node* node = &root;
  for (std::string_view name : path) {
    node = node->Find(name);
    if (node == nullptr) return nullptr;
  }
  return node;
}

// Where a server knows no structured output, the schema may be spelled out in a message.
void FindSchemaInText(ChatRequest* request) {
  for (const ChatTurn& turn : request->turns) {
    const size_t at = turn.text.find(kSchemaInText);
    if (at == std::string::npos) continue;
    absl::StatusOr<Node> schema = json::ParseJson(turn.text.substr(at + kSchemaInText.size()));
    if (schema.ok()) request->schema = *std::move(schema);
  }
}

void ReadOpenAiSchema(const Node& root, ChatRequest* request) {
  if (const Node* schema = Descend(root, {"response_format", "json_schema", "schema"})) {
    request->schema = *schema;
    request->structured = true;
  }
}

void ReadAnthropicSchema(const Node& root, ChatRequest* request) {
  const Node* tools = root.Find("tools");
  request->tool = TextOf(Descend(root, {"tool_choice", "name"}));
  if (tools == nullptr || request->tool.empty()) return;
  for (const Node& tool : tools->children) {
    const Node* schema = tool.Find("input_schema");
    if (TextOf(tool.Find("name")) != request->tool || schema == nullptr) continue;
    request->schema = *schema;
    request->structured = true;
  }
}

std::string OpenAiMessage(const ChatAnswer& answer) {
  if (answer.refused) {
    return R"({"role":"assistant","content":null,"refusal":"I will not judge this."})";
  }
  if (answer.tool_calls.empty()) {
    return StrCat(R"({"role":"assistant","content":)", JsonString(answer.content), "}");
  }
  std::string calls;
  for (size_t i = 0; i < answer.tool_calls.size(); ++i) {
    StrAppend(&calls, i == 0 ? "" : ",", R"({"id":"call_)", i,
              R"(","type":"function","function":{"name":)", JsonString(answer.tool_calls[i].name),
              R"(,"arguments":)", JsonString(answer.tool_calls[i].arguments), "}}");
  }
  return StrCat(R"({"role":"assistant","content":null,"tool_calls":[)", calls, "]}");
}

std::string AnthropicContent(const std::string& tool, const ChatAnswer& answer) {
  if (answer.refused) return "[]";
  if (tool.empty() || answer.plain_text) {
    return StrCat(R"([{"type":"text","text":)", JsonString(answer.content), "}]");
  }
  return StrCat(R"([{"type":"tool_use","id":"toolu_1","name":)", JsonString(tool), R"(,"input":)",
                answer.content, "}]");
}

}  // namespace

std::string ChatRequest::PromptText() const {
  std::string text;
  for (const ChatTurn& turn : turns) StrAppend(&text, "[", turn.role, "]\n", turn.text, "\n");
  return text;
}

absl::StatusOr<ChatRequest> ReadChatRequest(WireForm form, const std::string& body) {
  ASSAY_ASSIGN_OR_RETURN(const Node root, json::ParseJson(body));
  ChatRequest request;
  request.form = form;
  request.model = TextOf(root.Find("model"));
  if (request.model.empty()) return InvalidField("model", "is required");
  const Node* messages = root.Find("messages");
  if (messages == nullptr || !messages->is_array() || messages->children.empty()) {
    return InvalidField("messages", "is required");
  }
  if (form == WireForm::kAnthropic) {
    if (root.Find("max_tokens") == nullptr) return InvalidField("max_tokens", "is required");
    const std::string system = ContentText(root.Find("system"));
    if (!system.empty()) request.turns.push_back({"system", system});
  }
  for (const Node& message : messages->children) {
    const std::string role = TextOf(message.Find("role"));
    if (role.empty() || (form == WireForm::kAnthropic && role == "system")) {
      return InvalidField("messages", "holds an unknown role");
    }
    request.turns.push_back({role, ContentText(message.Find("content"))});
    if (message.Find("tool_calls") != nullptr) ++request.tool_rounds;
  }
  request.offers_tools = form == WireForm::kOpenAi && root.Find("tools") != nullptr;
  form == WireForm::kOpenAi ? ReadOpenAiSchema(root, &request)
                            : ReadAnthropicSchema(root, &request);
  if (request.schema.is_null()) FindSchemaInText(&request);
  return request;
}

std::string WriteChatAnswer(WireForm form, const std::string& model, const std::string& tool,
                            const ChatAnswer& answer, uint64_t id) {
  if (form == WireForm::kOpenAi) {
    return StrCat(R"({"id":"chatcmpl-)", id, R"(","object":"chat.completion","created":0,"model":)",
                  JsonString(model), R"(,"choices":[{"index":0,"message":)", OpenAiMessage(answer),
                  R"(,"finish_reason":")",
                  answer.truncated            ? "length"
                  : answer.tool_calls.empty() ? "stop"
                                              : "tool_calls",
                  R"("}],"usage":{"prompt_tokens":)", answer.input_tokens,
                  R"(,"completion_tokens":)", answer.output_tokens, R"(,"total_tokens":)",
                  answer.input_tokens + answer.output_tokens, "}}");
  }
  const std::string_view stop = answer.refused     ? "refusal"
                                : answer.truncated ? "max_tokens"
                                : tool.empty()     ? "end_turn"
                                                   : "tool_use";
  return StrCat(R"({"id":"msg_)", id, R"(","type":"message","role":"assistant","model":)",
                JsonString(model), R"(,"content":)", AnthropicContent(tool, answer),
                R"(,"stop_reason":")", stop, R"(","stop_sequence":null,"usage":{"input_tokens":)",
                answer.input_tokens, R"(,"output_tokens":)", answer.output_tokens, "}}");
}

std::string WriteChatError(WireForm form, std::string_view type, std::string_view message) {
  const std::string error = StrCat(R"({"type":)", JsonString(type), R"(,"code":)", JsonString(type),
                                   R"(,"message":)", JsonString(message), "}");
  return StrCat(form == WireForm::kOpenAi ? "{" : R"({"type":"error",)", R"("error":)", error, "}");
}

}  // namespace assay::fake_llm
