#include "services/judge/core/offline/prompt_reader.h"

#include <algorithm>
#include <utility>

#include "common/judging/prompt_fence.h"
#include "common/judging/value_type.h"
#include "common/strings/strings.h"
#include "services/judge/core/builtin/question.h"
#include "services/judge/core/chat_text.h"
#include "services/judge/core/prompt.h"

namespace assay::judge::offline {

namespace {

using json::Node;

bool HasRole(const Node& node, std::string_view role) {
  const Node* found = node.Find("role");
  return found != nullptr && found->text == role;
}

// Of a conversation, what the user said.
void AppendStrings(const Node& node, std::string* out) {
  if (node.is_string() || node.is_number()) {
    if (!out->empty()) *out += '\n';
    *out += node.text;
  }
  const bool conversation =
      node.is_array() && std::any_of(node.children.begin(), node.children.end(),
                                     [](const Node& child) { return HasRole(child, "user"); });
  for (const Node& child : node.children) {
    if (child.key == "role" || (conversation && !HasRole(child, "user"))) continue;
    AppendStrings(child, out);
  }
}

std::string StringOf(const Node* node) {
  if (node == nullptr || node->is_null()) return "";
  return node->is_string() ? node->text : node->ToJson();
}

std::string KeyOf(const Node* node) {
  return node == nullptr ? "" : judging::ValueKey(node->ToJson());
}

std::string RequestText(const Node* node) {
  return node == nullptr ? "" : PlainText(RequestOf(node->ToJson()));
}
std::string ResponseText(const Node* node) {
  return node == nullptr ? "" : PlainText(ResponseOf(node->ToJson()));
}

std::optional<LabelledCase> ReadExample(const std::string& content) {
  const absl::StatusOr<Node> node = json::ParseJson(content);
  if (!node.ok() || node->Find("value") == nullptr) return std::nullopt;
  LabelledCase example;
  example.request = RequestText(node->Find("inputs"));
  example.response = ResponseText(node->Find("outputs"));
  example.value = KeyOf(node->Find("value"));
  example.rationale = StringOf(node->Find("rationale"));
  const Node* similarity = node->Find("similarity");
  if (similarity != nullptr) example.similarity = similarity->AsDouble().value_or(0);
  const Node* wrong = node->Find("judge_was_wrong");
  example.judge_was_wrong = wrong != nullptr && wrong->AsBool().value_or(false);
  return example;
}

// The lines of a trace's text that begin with `label`, of its first span.
std::string TraceLine(const std::string& trace, const std::string& label) {
  const size_t found = trace.find(label);
  if (found == std::string::npos) return "";
  const size_t begin = found + label.size();
  return trace.substr(begin, trace.find('\n', begin) - begin);
}

// The end of the JSON object that begins at `begin`; npos if it has none.
size_t ObjectEnd(std::string_view text, size_t begin) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::optional<FeedbackRecord> ReadRecord(std::string_view text) {
  const absl::StatusOr<Node> node = json::ParseJson(text);
  if (!node.ok() || node->Find("trace") == nullptr || node->Find("human_value") == nullptr) {
    return std::nullopt;
  }
  FeedbackRecord record;
  record.trace = StringOf(node->Find("trace"));
  record.request = RequestText(node->Find("inputs"));
  record.response = ResponseText(node->Find("outputs"));
  record.judge_value = KeyOf(node->Find("judge_value"));
  record.human_value = KeyOf(node->Find("human_value"));
  record.rationale = StringOf(node->Find("rationale"));
  return record;
}

// Of the turns of a conversation, what those of `role` say, one a line.
std::string TurnsOf(const std::string& conversation, std::string_view role) {
  const absl::StatusOr<Node> turns = json::ParseJson(conversation);
  if (!turns.ok() || !turns->is_array()) return "";
  std::string text;
  for (const Node& turn : turns->children) {
    const Node* content = turn.Find("content");
    if (!HasRole(turn, role) || content == nullptr) continue;
    if (!text.empty()) text += '\n';
    text += PlainText(content->ToJson());
  }
  return text;
}

// The name of the built-in judge, as the system message says it outside of all blocks; "" if it is
// none.
std::string BuiltinName(std::string_view text) {
  const std::string lead = StrCat(kBuiltinLead, "`");
  const size_t found = text.find(lead);
  if (found == std::string_view::npos) return "";
  const size_t begin = found + lead.size();
  const size_t end = text.find('`', begin);
  return end == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin));
}

// Whether a block is of `root`, or of a path into it.
bool IsOf(const std::string& name, std::string_view root) {
  return name.starts_with(root) &&
         (name.size() == root.size() || name[root.size()] == '.' || name[root.size()] == '[');
}

}  // namespace

std::string PlainText(std::string_view json_text) {
  absl::StatusOr<Node> node = json::ParseJson(json_text);
  if (!node.ok()) return std::string(json_text);
  // Messages are often passed on as JSON within a string.
  if (node->is_string() && node->text.starts_with("[{")) {
    absl::StatusOr<Node> inner = json::ParseJson(node->text);
    if (inner.ok()) node = std::move(inner);
  }
  std::string text;
  AppendStrings(*node, &text);
  return text;
}

std::string JudgingTask::Text(const std::string& name) const {
  const auto found = material.find(name);
  return found == material.end() ? "" : PlainText(found->second);
}

std::string JudgingTask::TextBelow(std::string_view root) const {
  std::string text;
  for (const auto& [name, content] : material) {
    if (!IsOf(name, root)) continue;
    if (!text.empty()) text += '\n';
    text += PlainText(content);
  }
  return text;
}

std::string JudgingTask::Request() const {
  if (material.contains("request")) return PlainText(RequestOf(material.at("request")));
  if (material.contains("inputs")) return PlainText(RequestOf(material.at("inputs")));
  if (material.contains("conversation")) return TurnsOf(material.at("conversation"), "user");
  if (const std::string parts = TextBelow("inputs"); !parts.empty()) return parts;
  if (material.contains("trace")) return PlainText(TraceLine(material.at("trace"), "inputs: "));
  return "";
}

std::string JudgingTask::Response() const {
  if (material.contains("response")) return PlainText(ResponseOf(material.at("response")));
  if (material.contains("outputs")) return PlainText(ResponseOf(material.at("outputs")));
  if (material.contains("conversation")) return TurnsOf(material.at("conversation"), "assistant");
  if (const std::string parts = TextBelow("outputs"); !parts.empty()) return parts;
  if (material.contains("trace")) return PlainText(TraceLine(material.at("trace"), "outputs: "));
  std::string all;
  for (const auto& [name, content] : material) {
    if (name == "request" || IsOf(name, "inputs") || IsOf(name, "expectations")) continue;
    all += PlainText(content) + "\n";
  }
  return all;
}

std::optional<JudgingTask> ReadJudgingTask(const ModelRequest& request) {
  JudgingTask task;
  bool asked_user = false;
  for (const ChatMessage& message : request.messages) {
    if (message.role == ChatRole::kSystem) {
      const judging::BlockText read = judging::ReadBlocks(message.text);
      for (const judging::PromptBlock& block : read.blocks) {
        if (block.name == kInstructionsBlock) task.instructions = block.content;
        if (block.name == kGuidelineBlock) task.guidelines.push_back(block.content);
        if (block.name == kLearnedGuidelineBlock) task.learned_guidelines.push_back(block.content);
      }
      task.builtin = BuiltinName(read.rest);
      task.ordered_categories = read.rest.find("in order, the best first") != std::string::npos;
    } else if (message.role == ChatRole::kUser && !asked_user) {
      // Only the first: what follows is the model's answer and the demand for a better one.
      asked_user = true;
      for (judging::PromptBlock& block : judging::ReadBlocks(message.text).blocks) {
        if (block.name != kExampleBlock) {
          task.material.emplace(block.name, std::move(block.content));
        } else if (auto example = ReadExample(block.content)) {
          task.examples.push_back(*std::move(example));
        }
      }
    }
  }
  if ((task.instructions.empty() && task.guidelines.empty()) || task.material.empty()) {
    return std::nullopt;
  }
  return task;
}

std::optional<DistillationTask> ReadDistillationTask(const ModelRequest& request) {
  if (request.response_schema.find("\"guidelines\"") == std::string::npos) return std::nullopt;
  DistillationTask task;
  for (const ChatMessage& message : request.messages) {
    task.prompt += message.text + "\n";
    if (message.role != ChatRole::kUser) continue;
    const std::string_view text = message.text;
    size_t at = 0;
    while (at < text.size()) {
      const size_t line_end = std::min(text.find('\n', at), text.size());
      if (text[at] == '{') {
        const size_t end = ObjectEnd(text, at);
        if (end != std::string_view::npos) {
          if (auto record = ReadRecord(text.substr(at, end - at))) {
            task.records.push_back(*std::move(record));
            at = end;
            continue;
          }
        }
      }
      at = line_end + 1;
    }
  }
  return task;
}

}  // namespace assay::judge::offline
