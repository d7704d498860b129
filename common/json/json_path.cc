// Paths into JSON documents: segments joined by dots, indexes in brackets.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::json {
namespace {

using Step = std::variant<std::string, int64_t>;  // A member's name, or an index.

absl::Status Refuse(size_t at, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_JSON_PATH",
                   StrCat("invalid path at character ", at + 1, ": ", what,
                          "; write names joined by dots and indexes in brackets, like "
                          "outputs.messages[-1].content, and odd names in back quotes"));
}

// At an opening bracket; moves `at` behind the closing one.
absl::StatusOr<int64_t> ReadIndex(std::string_view path, size_t* at) {
  const size_t close = path.find(']', *at);
  if (close == path.npos) return Refuse(*at, "[ without ]");
  const std::string_view digits = path.substr(*at + 1, close - *at - 1);
  int64_t index = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || rest != digits.data() + digits.size()) {
    return Refuse(*at + 1, "expected a whole number");
  }
  *at = close + 1;
  return index;
}

absl::StatusOr<std::string> ReadName(std::string_view path, size_t* at) {
  if (*at < path.size() && path[*at] == '`') {
    const size_t close = path.find('`', *at + 1);
    if (close == path.npos) return Refuse(*at, "a back quote without its end");
    std::string name(path.substr(*at + 1, close - *at - 1));
    *at = close + 1;
    return name;
  }
  const size_t end = std::min(path.find_first_of(".[]`", *at), path.size());
  if (end == *at) return Refuse(*at, "expected a name");
  std::string name(path.substr(*at, end - *at));
  *at = end;
  return name;
}

absl::StatusOr<std::vector<Step>> ParsePath(std::string_view path) {
  std::vector<Step> steps;
  size_t at = 0;
  while (at < path.size()) {
    if (path[at] == '[') {
      ASSAY_ASSIGN_OR_RETURN(const int64_t index, ReadIndex(path, &at));
      steps.emplace_back(index);
      continue;
    }
    if (!steps.empty()) {
      if (path[at] != '.') return Refuse(at, "expected . or [");
      ++at;
    }
    ASSAY_ASSIGN_OR_RETURN(std::string name, ReadName(path, &at));
    steps.emplace_back(std::move(name));
  }
  return steps;
}

const Node* Follow(const Node& node, const Step& step) {
  if (const auto* name = std::get_if<std::string>(&step)) return node.Find(*name);
  if (!node.is_array()) return nullptr;
  const int64_t size = static_cast<int64_t>(node.children.size());
  int64_t index = std::get<int64_t>(step);
  if (index < 0) index += size;
  return index >= 0 && index < size ? &node.children[static_cast<size_t>(index)] : nullptr;
}

}  // namespace

absl::StatusOr<const Node*> JsonPathFind(const Node& root, std::string_view path) {
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Step> steps, ParsePath(path));
  const Node* node = &root;
  for (const Step& step : steps) {
    node = Follow(*node, step);
    if (node == nullptr) break;
  }
  return node;
}

absl::StatusOr<std::optional<std::string>> JsonPathText(std::string_view json_text,
                                                        std::string_view path) {
  ASSAY_ASSIGN_OR_RETURN(const Node root, ParseJson(json_text));
  ASSAY_ASSIGN_OR_RETURN(const Node* node, JsonPathFind(root, path));
  if (node == nullptr) return std::optional<std::string>();
  return std::optional<std::string>(node->is_string() ? node->text : node->ToJson());
}

}  // namespace assay::json
