#include "common/judging/judge_path.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

constexpr std::pair<std::string_view, PathRoot> kRoots[] = {
    {"inputs", PathRoot::kInputs},
    {"outputs", PathRoot::kOutputs},
    {"expectations", PathRoot::kExpectations},
};

std::optional<PathRoot> RootNamed(std::string_view name) {
  for (const auto& [known, root] : kRoots) {
    if (known == name) return root;
  }
  return std::nullopt;
}

}  // namespace

std::string_view PathRootName(PathRoot root) {
  for (const auto& [name, known] : kRoots) {
    if (known == root) return name;
  }
  return "";
}

absl::StatusOr<JudgePath> ParseJudgePath(std::string_view path, std::string_view field,
                                         std::string_view reason) {
  const auto refuse = [&](std::string_view why) {
    return InvalidField(field, StrCat("is the path `", json::PreviewOf(path, 100), "`; ", why),
                        reason);
  };
  if (path.size() > kMaxPathBytes) return refuse("a path has at most 1,000 bytes");
  const size_t end = std::min(path.find_first_of(".["), path.size());
  const std::optional<PathRoot> root = RootNamed(path.substr(0, end));
  if (!root.has_value()) return refuse("a path begins with inputs, outputs or expectations");
  std::string_view below = path.substr(end);
  if (below == ".") return refuse("a name is missing after the dot");
  if (!below.empty() && below.front() == '.') below.remove_prefix(1);
  const absl::StatusOr<const json::Node*> parsed = json::JsonPathFind(json::Node(), below);
  if (!parsed.ok()) return refuse(ToStd(parsed.status().message()));
  return JudgePath{*root, std::string(below)};
}

bool IsVariableName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  if (absl::ascii_isdigit(static_cast<unsigned char>(name.front()))) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

}  // namespace assay::judging
