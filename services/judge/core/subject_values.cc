#include "services/judge/core/subject_values.h"

#include <optional>

#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using judging::JudgePath;
using judging::PathRoot;

constexpr size_t kMaxNamesShown = 20;

const std::optional<std::string>& RootOf(const Subject& subject, PathRoot root) {
  switch (root) {
    case PathRoot::kInputs:
      return subject.inputs;
    case PathRoot::kOutputs:
      return subject.outputs;
    case PathRoot::kExpectations:
      break;
  }
  return subject.expectations;
}

// What stands at a place, for people: the names of an object, the size of a list, or what it is.
std::string Described(const json::Node& node) {
  if (node.is_array()) return StrCat("a list of ", node.children.size());
  if (node.is_string()) return "a text";
  if (!node.is_object()) return StrCat("`", json::PreviewOf(node.ToJson(), 40), "`");
  if (node.children.empty()) return "an object without members";
  std::string names = "an object with";
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (i == kMaxNamesShown) return StrCat(names, " and others");
    StrAppend(&names, i == 0 ? " " : ", ", "`", json::PreviewOf(node.children[i].key, 60), "`");
  }
  return names;
}

// The longest part of the path that leads somewhere, and what stands there.
std::string WhatThereIs(const json::Node& root, const JudgePath& path) {
  std::string at(judging::PathRootName(path.root));
  const json::Node* node = &root;
  bool quoted = false;
  for (size_t i = 1; i < path.below.size(); ++i) {
    if (path.below[i] == '`') quoted = !quoted;
    if (quoted || (path.below[i] != '.' && path.below[i] != '[')) continue;
    const std::string_view prefix = std::string_view(path.below).substr(0, i);
    const auto found = json::JsonPathFind(root, prefix);
    if (!found.ok() || *found == nullptr) break;
    node = *found;
    at = StrCat(judging::PathRootName(path.root), prefix.front() == '[' ? "" : ".", prefix);
  }
  return StrCat("`", json::PreviewOf(at, 200), "` is ", Described(*node));
}

}  // namespace

absl::Status MissingInput(std::string_view field, std::string_view why) {
  return InvalidField(field, why, "MISSING_JUDGE_INPUT");
}

absl::StatusOr<std::string> ValueAt(const Subject& subject, const JudgePath& path,
                                    std::string_view wanted_by) {
  const std::string_view name = judging::PathRootName(path.root);
  const std::optional<std::string>& root = RootOf(subject, path.root);
  if (!root.has_value()) {
    return MissingInput(name, StrCat("are needed: ", wanted_by, ", and no trace brings any"));
  }
  if (path.below.empty()) return *root;
  ASSAY_ASSIGN_OR_RETURN(const json::Node node, json::ParseJson(*root));
  ASSAY_ASSIGN_OR_RETURN(const json::Node* found, json::JsonPathFind(node, path.below));
  if (found != nullptr) return found->ToJson();
  const std::string full = StrCat(name, path.below.front() == '[' ? "" : ".", path.below);
  return MissingInput(full, StrCat("is needed: ", wanted_by, ", but the path leads nowhere; ",
                                   WhatThereIs(node, path)));
}

}  // namespace assay::judge
