#include "services/judge/clients/wire_json.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

const json::Node* Descend(const json::Node* node, std::initializer_list<std::string_view> path) {
  for (const std::string_view name : path) {
    if (node == nullptr) return nullptr;
    node = node->Find(name);
  }
  return node;
}

std::string TextOf(const json::Node* node) {
  return node == nullptr ? "" : std::string(node->AsString().value_or(""));
}

int64_t CountOf(const json::Node* node, std::string_view name) {
  const json::Node* count = node == nullptr ? nullptr : node->Find(name);
  return count == nullptr ? 0 : std::max<int64_t>(count->AsInt64().value_or(0), 0);
}

std::string JsonList(const std::vector<std::string>& items) {
  std::string list = "[";
  for (const std::string& item : items) {
    if (list.size() > 1) list.push_back(',');
    list.append(item);
  }
  return list + "]";
}

std::string ArgumentsObject(const std::string& arguments) {
  const absl::StatusOr<json::Node> node = json::ParseJson(arguments);
  return node.ok() && node->is_object() ? arguments : "{}";
}

std::string SchemaInWords(const std::string& schema) {
  return StrCat(
      "Answer with JSON only, without any text around it. The JSON must obey this JSON Schema: ",
      schema);
}

std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        std::string_view("-_.~").find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      encoded += absl::StrFormat("%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

absl::StatusOr<std::string> PathSegment(std::string_view name) {
  if (name.empty() || name == "." || name == "..") {
    return InvalidField("model", "is no name of a model", "INVALID_MODEL_URI");
  }
  return PercentEncoded(name);
}

std::string SystemText(const ModelRequest& request, const std::string& last) {
  std::string text;
  auto append = [&text](const std::string& part) {
    if (!part.empty()) StrAppend(&text, text.empty() ? "" : "\n\n", part);
  };
  for (const ChatMessage& message : request.messages) {
    if (message.role == ChatRole::kSystem) append(message.text);
  }
  append(last);
  return text;
}

absl::Status NoSuchParameter(std::string_view provider, std::string_view name,
                             std::string_view known) {
  return InvalidField(StrCat("inference_parameters.", name),
                      StrCat(provider, " has no such parameter; it knows ", known,
                             ". Leave it out, or choose another model"),
                      "INVALID_INFERENCE_PARAMETER");
}

std::string ToolNameOf(const ModelRequest& request, const std::string& tool_call_id) {
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
    for (const ModelToolCall& call : message->tool_calls) {
      if (call.id == tool_call_id) return call.name;
    }
  }
  return "";
}

std::vector<ModelTool> ToolsOf(const ModelRequest& request) {
  if (!request.tools.empty()) return request.tools;
  std::vector<ModelTool> tools;
  std::set<std::string> names;
  for (const ChatMessage& message : request.messages) {
    for (const ModelToolCall& call : message.tool_calls) {
      if (!names.insert(call.name).second) continue;
      tools.push_back({call.name, "No longer to be called.", R"({"type":"object"})"});
    }
  }
  return tools;
}

}  // namespace assay::judge
