#include "services/judge/core/chat_text.h"

#include <optional>
#include <vector>

#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using json::Node;

constexpr int kMaxDepth = 16;

const Node* StringMember(const Node& node, std::string_view name) {
  const Node* found = node.Find(name);
  return found != nullptr && found->is_string() ? found : nullptr;
}

const Node* ListMember(const Node& node, std::string_view name) {
  const Node* found = node.Find(name);
  return found != nullptr && found->is_array() && !found->children.empty() ? found : nullptr;
}

const Node* ObjectMember(const Node& node, std::string_view name) {
  const Node* found = node.Find(name);
  return found != nullptr && found->is_object() ? found : nullptr;
}

// A message's content: a text, or the text parts of a list of parts (`{"type":"text","text":...}`).
std::optional<std::string> ContentText(const Node* content) {
  if (content == nullptr) return std::nullopt;
  if (content->is_string()) return content->text;
  if (!content->is_array()) return std::nullopt;
  std::string text;
  bool found = false;
  for (const Node& part : content->children) {
    const Node* piece = part.is_string() ? &part : StringMember(part, "text");
    if (piece == nullptr) continue;
    if (found) text += "\n";
    text += piece->text;
    found = true;
  }
  if (!found) return std::nullopt;
  return text;
}

// Where a message has its content: `content`, or `parts` (Gemini, the AI SDK).
const Node* ContentOf(const Node& message) {
  const Node* content = message.Find("content");
  return content != nullptr ? content : ListMember(message, "parts");
}

std::string_view CommonRole(std::string_view role) {
  if (role == "human") return "user";
  if (role == "ai" || role == "model") return "assistant";
  return role;
}

// The role of a message, LangChain's `type` included; "" if `node` is no message.
std::string_view RoleOf(const Node& node) {
  if (!node.is_object() || ContentOf(node) == nullptr) return "";
  if (const Node* role = StringMember(node, "role")) return CommonRole(role->text);
  const Node* type = StringMember(node, "type");
  if (type == nullptr) return "";
  const std::string_view name = type->text;
  return name == "human" || name == "ai" || name == "system" || name == "tool" ? CommonRole(name)
                                                                               : "";
}

// The messages of a list; none if it holds anything but messages and typed items (calls of tools,
// reasoning).
std::vector<const Node*> MessagesIn(const Node* list) {
  std::vector<const Node*> messages;
  if (list == nullptr || !list->is_array()) return messages;
  for (const Node& item : list->children) {
    if (!RoleOf(item).empty()) {
      messages.push_back(&item);
    } else if (StringMember(item, "type") == nullptr) {
      return {};
    }
  }
  return messages;
}

// The messages of a request: a list of them, or an object that has one.
std::vector<const Node*> MessagesOf(const Node& node) {
  if (node.is_array()) return MessagesIn(&node);
  for (const std::string_view name : {"messages", "contents", "input", "prompt"}) {
    std::vector<const Node*> messages = MessagesIn(node.Find(name));
    if (!messages.empty()) return messages;
  }
  return {};
}

// The text of a request to a model that is no list of messages: `{"model": ..., "input": "..."}`.
std::optional<std::string> PromptText(const Node& node) {
  if (StringMember(node, "model") == nullptr) return std::nullopt;
  for (const std::string_view name : {"input", "prompt", "contents"}) {
    if (const Node* text = StringMember(node, name)) return text->text;
  }
  return std::nullopt;
}

std::string MessagesJson(const std::vector<const Node*>& messages) {
  std::string out = "[";
  for (const Node* message : messages) {
    const std::optional<std::string> text = ContentText(ContentOf(*message));
    if (out.size() > 1) out += ",";
    StrAppend(&out, "{\"role\":", json::JsonString(RoleOf(*message)), ",\"content\":",
              text.has_value() ? json::JsonString(*text) : ContentOf(*message)->ToJson(), "}");
  }
  return out + "]";
}

// Of the items of OpenAI's Responses.
std::optional<std::string> LastAssistantText(const Node& items) {
  for (auto item = items.children.rbegin(); item != items.children.rend(); ++item) {
    const Node* role = item->Find("role");
    if (role != nullptr && role->text != "assistant") continue;
    if (std::optional<std::string> text = ContentText(item->Find("content"))) return text;
  }
  return std::nullopt;
}

std::optional<std::string> FromChoices(const Node& node) {
  const Node* choices = ListMember(node, "choices");
  if (choices == nullptr) return std::nullopt;
  const Node* message = choices->children.front().Find("message");
  if (message != nullptr) return ContentText(message->Find("content"));
  return ContentText(choices->children.front().Find("text"));
}

std::optional<std::string> FromCandidates(const Node& node) {
  const Node* candidates = ListMember(node, "candidates");
  if (candidates == nullptr) return std::nullopt;
  const Node* content = candidates->children.front().Find("content");
  return content == nullptr ? std::nullopt : ContentText(content->Find("parts"));
}

std::optional<std::string> FromOutput(const Node& node) {
  if (const Node* text = StringMember(node, "output_text")) return text->text;
  if (const Node* items = ListMember(node, "output")) return LastAssistantText(*items);
  const Node* output = ObjectMember(node, "output");
  const Node* message = output == nullptr ? nullptr : ObjectMember(*output, "message");
  return message == nullptr ? std::nullopt : ContentText(message->Find("content"));
}

// LangChain's results: [[{"text": ...}]].
std::optional<std::string> FromGenerations(const Node& node) {
  const Node* generation = ListMember(node, "generations");
  for (int depth = 0; depth < 2 && generation != nullptr && generation->is_array(); ++depth) {
    generation = generation->children.empty() ? nullptr : &generation->children.front();
  }
  if (generation == nullptr) return std::nullopt;
  const Node* text = StringMember(*generation, "text");
  return text == nullptr ? std::nullopt : std::optional<std::string>(text->text);
}

// The AI SDK's results, a part of a message, or blocks of content.
std::optional<std::string> FromText(const Node& node) {
  const Node* text = StringMember(node, "text");
  if (text != nullptr) {
    const Node* type = StringMember(node, "type");
    const bool part = type != nullptr && (type->text == "text" || type->text == "output_text");
    if (part || node.Find("finishReason") != nullptr || node.Find("finish_reason") != nullptr) {
      return text->text;
    }
  }
  const Node* content = ListMember(node, "content");
  return content == nullptr ? std::nullopt : ContentText(content);
}

std::optional<std::string> ObjectText(const Node& node) {
  if (auto text = FromChoices(node)) return text;
  if (auto text = FromCandidates(node)) return text;
  const std::vector<const Node*> messages = MessagesIn(node.Find("messages"));
  if (!messages.empty()) {
    if (auto text = ContentText(ContentOf(*messages.back()))) return text;
  }
  if (auto text = FromOutput(node)) return text;
  if (auto text = FromGenerations(node)) return text;
  if (!RoleOf(node).empty()) return ContentText(ContentOf(node));
  return FromText(node);
}

std::optional<std::string> ResponseText(const Node& node, int depth) {
  if (depth > kMaxDepth) return std::nullopt;
  if (node.is_string()) return node.text;
  if (node.is_array()) {
    const std::vector<const Node*> messages = MessagesIn(&node);
    if (!messages.empty()) return ContentText(ContentOf(*messages.back()));
    if (!node.children.empty()) return ResponseText(node.children.front(), depth + 1);
    return std::nullopt;
  }
  if (node.is_object()) return ObjectText(node);
  return std::nullopt;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// The plain text of a JSON text; "" for null and for blank texts.
std::string PlainOf(const std::string& json_text) {
  const absl::StatusOr<Node> node = json::ParseJson(json_text);
  if (!node.ok() || node->is_null()) return "";
  if (!node->is_string()) return json_text;
  return IsBlank(node->text) ? "" : node->text;
}

}  // namespace

std::string RequestOf(std::string_view inputs) {
  const absl::StatusOr<Node> node = json::ParseJson(inputs);
  if (!node.ok()) return json::JsonString(inputs);
  const std::vector<const Node*> messages = MessagesOf(*node);
  if (messages.empty()) {
    const std::optional<std::string> text = PromptText(*node);
    return text.has_value() ? json::JsonString(*text) : std::string(inputs);
  }
  if (messages.size() == 1) {
    const auto text = ContentText(ContentOf(*messages.front()));
    if (text.has_value()) return json::JsonString(*text);
  }
  return MessagesJson(messages);
}

std::string ResponseOf(std::string_view outputs) {
  const absl::StatusOr<Node> node = json::ParseJson(outputs);
  if (!node.ok()) return json::JsonString(outputs);
  const std::optional<std::string> text = ResponseText(*node, 0);
  return text.has_value() ? json::JsonString(*text) : std::string(outputs);
}

std::string UserTextOf(std::string_view inputs) {
  const absl::StatusOr<Node> node = json::ParseJson(inputs);
  if (node.ok()) {
    const std::vector<const Node*> messages = MessagesOf(*node);
    for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
      if (RoleOf(**message) != "user") continue;
      const std::optional<std::string> text = ContentText(ContentOf(**message));
      if (text.has_value() && !IsBlank(*text)) return *text;
    }
  }
  return PlainOf(RequestOf(inputs));
}

std::string AssistantTextOf(std::string_view outputs) { return PlainOf(ResponseOf(outputs)); }

}  // namespace assay::judge
