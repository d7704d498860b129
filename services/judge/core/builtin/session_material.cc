#include "services/judge/core/builtin/session_material.h"

#include <cstddef>
#include <utility>

#include "common/json/json_value.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/judging/prompt_fence.h"
#include "common/strings/strings.h"
#include "services/judge/core/builtin/material.h"

namespace assay::judge {

namespace {

using json::Node;
using trace::v1::Span;
using trace::v1::Trace;

constexpr size_t kMaxRoleChars = 20'000;

std::string SystemTextOf(const Span& span) {
  std::string text;
  for (const common::v1::Message& message : span.input_messages()) {
    if (message.role() != common::v1::ROLE_SYSTEM) continue;
    for (const common::v1::ContentPart& part : message.parts()) {
      if (part.has_text()) StrAppend(&text, text.empty() ? "" : "\n", part.text());
    }
    if (!text.empty()) return text;
  }
  return text;
}

// Of inputs such as {"messages": [{"role": "system", "content": ...}, ...]}.
std::string SystemTextOf(const common::v1::JsonValue& inputs) {
  const absl::StatusOr<std::string> text = json::JsonText(inputs, "inputs");
  if (!text.ok()) return "";
  const absl::StatusOr<Node> node = json::ParseJson(*text);
  if (!node.ok()) return "";
  const Node* messages = node->is_array() ? &*node : node->Find("messages");
  if (messages == nullptr || !messages->is_array()) return "";
  for (const Node& message : messages->children) {
    const Node* role = message.Find("role");
    const Node* content = message.Find("content");
    if (role == nullptr || content == nullptr) continue;
    if ((role->text == "system" || role->text == "developer") && content->is_string()) {
      return content->text;
    }
  }
  return "";
}

std::string SystemTextOf(const Trace& trace) {
  for (const Span& span : trace.spans()) {
    if (std::string text = SystemTextOf(span); !text.empty()) return text;
  }
  return trace.has_inputs() ? SystemTextOf(trace.inputs()) : "";
}

}  // namespace

std::string ConversationBlock(absl::Span<const Turn> turns) {
  return JsonBlock("conversation", ConversationJson(turns));
}

std::string AssignedRoleBlock(const Subject& subject) {
  for (const auto& trace : subject.session) {
    const std::string text = SystemTextOf(*trace);
    if (text.empty()) continue;
    return StrCat(judging::FencedBlock("assigned_role", json::PreviewOf(text, kMaxRoleChars)),
                  "\n");
  }
  return "";
}

std::vector<ConversationPrefix> PrefixesOf(const Subject& subject, absl::Span<const Turn> turns) {
  std::vector<ConversationPrefix> prefixes;
  size_t at = 0;
  for (size_t trace = 0; trace < subject.session.size(); ++trace) {
    bool answered = false;
    while (at < turns.size() && turns[at].trace == subject.session[trace]->name()) {
      answered = answered || turns[at].role == "assistant";
      ++at;
    }
    if (answered) prefixes.push_back({trace, at});
  }
  return prefixes;
}

}  // namespace assay::judge
