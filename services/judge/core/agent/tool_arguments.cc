#include "services/judge/core/agent/tool_arguments.h"

#include <optional>
#include <utility>

#include "common/json/utf8.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

constexpr size_t kMaxStrings = 100;
constexpr size_t kMaxStringBytes = 1'000;

}  // namespace

ToolArguments::ToolArguments(std::string_view text) {
  root_.kind = json::Node::Kind::kObject;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  if (text.size() > kMaxToolArgumentBytes) {
    error_ = StrCat("the arguments have more than ", kMaxToolArgumentBytes, " bytes");
    return;
  }
  absl::StatusOr<json::Node> root = json::ParseJson(text);
  if (!root.ok()) {
    error_ = "the arguments are no valid JSON object";
  } else if (root->is_object()) {
    root_ = *std::move(root);
  } else if (!root->is_null()) {
    error_ = "the arguments must be a JSON object";
  }
}

const json::Node* ToolArguments::Take(std::string_view name) {
  known_.emplace(name);
  const json::Node* node = root_.Find(name);
  return node == nullptr || node->is_null() ? nullptr : node;
}

void ToolArguments::Fail(std::string_view name, std::string_view what) {
  if (error_.empty()) error_ = StrCat("the argument `", name, "` ", what);
}

std::string ToolArguments::String(std::string_view name, size_t max_bytes) {
  const json::Node* node = Take(name);
  if (node == nullptr) return "";
  if (!node->is_string()) {
    Fail(name, "must be a string");
    return "";
  }
  if (node->text.size() > max_bytes) {
    Fail(name, StrCat("may have at most ", max_bytes, " bytes"));
    return "";
  }
  return node->text;
}

std::string ToolArguments::RequiredString(std::string_view name, size_t max_bytes) {
  std::string text = String(name, max_bytes);
  if (text.empty()) Fail(name, "is required");
  return text;
}

int64_t ToolArguments::Integer(std::string_view name, int64_t otherwise, int64_t least,
                               int64_t most) {
  const json::Node* node = Take(name);
  if (node == nullptr) return otherwise;
  const std::optional<int64_t> value = node->AsInt64();
  if (value.has_value() && *value >= least && *value <= most) return *value;
  Fail(name, StrCat("must be a whole number from ", least, " to ", most));
  return otherwise;
}

std::vector<std::string> ToolArguments::Strings(std::string_view name) {
  const json::Node* node = Take(name);
  if (node == nullptr) return {};
  std::vector<std::string> strings;
  bool valid = node->is_array() && node->children.size() <= kMaxStrings;
  for (const json::Node& item : node->children) {
    valid = valid && item.is_string() && item.text.size() <= kMaxStringBytes;
    strings.push_back(item.text);
  }
  if (valid) return strings;
  Fail(name, StrCat("must be a list of at most ", kMaxStrings, " strings of at most ",
                    kMaxStringBytes, " bytes"));
  return {};
}

std::string ToolArguments::Finish() {
  for (const json::Node& member : root_.children) {
    if (known_.contains(member.key)) continue;
    std::string allowed;
    for (const std::string& name : known_) StrAppend(&allowed, allowed.empty() ? "" : ", ", name);
    Fail(json::PreviewOf(member.key, 60), allowed.empty()
                                              ? "is unknown; the tool takes none"
                                              : StrCat("is unknown; allowed are ", allowed));
  }
  return error_;
}

}  // namespace assay::judge
