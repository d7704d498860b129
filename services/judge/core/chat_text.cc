#include "services/judge/core/chat_text.h"

#include <optional>

#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using json::Node;

constexpr int kMaxDepth = 16;

// A message's content: a text, or the text parts of a list of parts (`{"type":"text","text":...}`).
std::optional<std::string> ContentText(const Node* content) {
  if (content == nullptr) return std::nullopt;
  if (content->is_string()) return content->text;
  if (!content->is_array()) return std::nullopt;
  std::string text;
  bool found = false;
  for (const Node& part : content->children) {
    const Node* piece = part.is_string() ? &part : part.Find("text");
    if (piece == nullptr || !piece->is_string()) continue;
    if (found) text += "\n";
    text += piece->text;
    found = true;
  }
  if (!found) return std::nullopt;
  return text;
}

bool IsMessage(const Node& node) {
  const Node* role = node.Find("role");
  return role != nullptr && role->is_string() && node.Find("content") != nullptr;
}

bool IsMessageList(const Node* node) {
  if (node == nullptr || !node->is_array() || node->children.empty()) return false;
  for (const Node& message : node->children) {
    if (!IsMessage(message)) return false;
  }
  return true;
}

std::string MessagesJson(const Node& messages) {
  std::string out = "[";
  for (const Node& message : messages.children) {
    const std::optional<std::string> text = ContentText(message.Find("content"));
    if (out.size() > 1) out += ",";
    StrAppend(&out, "{\"role\":", json::JsonString(message.Find("role")->text), ",\"content\":",
              text.has_value() ? json::JsonString(*text) : message.Find("content")->ToJson(), "}");
  }
  return out + "]";
}

std::optional<std::string> LastAssistantText(const Node& items) {
  for (auto item = items.children.rbegin(); item != items.children.rend(); ++item) {
    const Node* role = item->Find("role");
    if (role != nullptr && role->text != "assistant") continue;
    if (std::optional<std::string> text = ContentText(item->Find("content"))) return text;
  }
  return std::nullopt;
}

std::optional<std::string> ResponseText(const Node& node, int depth);

std::optional<std::string> ObjectText(const Node& node, int depth) {
  const Node* choices = node.Find("choices");
  if (choices != nullptr && choices->is_array() && !choices->children.empty()) {
    const Node* message = choices->children.front().Find("message");
    const Node* content = message != nullptr ? message->Find("content") : nullptr;
    if (std::optional<std::string> text = ContentText(content)) return text;
  }
  const Node* messages = node.Find("messages");
  if (IsMessageList(messages)) {
    if (auto text = ContentText(messages->children.back().Find("content"))) return text;
  }
  const Node* output = node.Find("output");
  if (output != nullptr && output->is_array()) {
    if (std::optional<std::string> text = LastAssistantText(*output)) return text;
  }
  const Node* type = node.Find("type");
  if (IsMessage(node) || (type != nullptr && type->text == "message")) {
    return ContentText(node.Find("content"));
  }
  if (type != nullptr && type->text == "text" && node.Find("text") != nullptr) {
    return ContentText(node.Find("text"));
  }
  const Node* content = node.Find("content");
  if (content != nullptr && content->is_array()) return ContentText(content);
  return std::nullopt;
}

std::optional<std::string> ResponseText(const Node& node, int depth) {
  if (depth > kMaxDepth) return std::nullopt;
  if (node.is_string()) return node.text;
  if (node.is_array()) {
    if (IsMessageList(&node)) return ContentText(node.children.back().Find("content"));
    if (!node.children.empty()) return ResponseText(node.children.front(), depth + 1);
    return std::nullopt;
  }
  if (node.is_object()) return ObjectText(node, depth);
  return std::nullopt;
}

}  // namespace

std::string RequestOf(std::string_view inputs) {
  const absl::StatusOr<Node> node = json::ParseJson(inputs);
  if (!node.ok()) return json::JsonString(inputs);
  const Node* messages = node->is_array() ? &*node : node->Find("messages");
  if (!IsMessageList(messages)) return std::string(inputs);
  if (messages->children.size() == 1) {
    const auto text = ContentText(messages->children.front().Find("content"));
    if (text.has_value()) return json::JsonString(*text);
  }
  return MessagesJson(*messages);
}

std::string ResponseOf(std::string_view outputs) {
  const absl::StatusOr<Node> node = json::ParseJson(outputs);
  if (!node.ok()) return json::JsonString(outputs);
  const std::optional<std::string> text = ResponseText(*node, 0);
  return text.has_value() ? json::JsonString(*text) : std::string(outputs);
}

}  // namespace assay::judge
