#include "services/judge/core/guidelines.h"

#include <map>
#include <optional>
#include <string_view>

#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/judging/judge_definition.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "re2/re2.h"
#include "services/judge/core/chat_text.h"

namespace assay::judge {

namespace {

constexpr std::string_view kRowField = "expectations.guidelines";

absl::Status Missing(std::string_view field, std::string_view why) {
  return InvalidField(field, why, "MISSING_JUDGE_INPUT");
}

absl::StatusOr<std::vector<std::string>> RowGuidelines(const Subject& subject) {
  if (!subject.expectations.has_value()) {
    return Missing(kRowField,
                   "is needed by a judge with guidelines per row: a text or a list of texts");
  }
  ASSAY_ASSIGN_OR_RETURN(const json::Node expectations, json::ParseJson(*subject.expectations));
  const json::Node* node = expectations.Find("guidelines");
  if (node == nullptr || node->is_null()) {
    return Missing(kRowField,
                   "is needed by a judge with guidelines per row: a text or a list of texts");
  }
  std::vector<std::string> guidelines;
  if (node->is_string()) {
    guidelines.push_back(node->text);
  } else if (node->is_array()) {
    for (const json::Node& item : node->children) {
      if (!item.is_string()) {
        return InvalidField(kRowField, "must be a text or a list of texts", "INVALID_GUIDELINES");
      }
      guidelines.push_back(item.text);
    }
  } else {
    return InvalidField(kRowField, "must be a text or a list of texts", "INVALID_GUIDELINES");
  }
  if (guidelines.empty()) return Missing(kRowField, "must hold at least one guideline");
  if (guidelines.size() > judging::kMaxGuidelines) {
    return InvalidField(kRowField, "has more than 100 guidelines", "INVALID_GUIDELINES");
  }
  for (const std::string& guideline : guidelines) {
    if (guideline.find_first_not_of(" \t\r\n") == std::string::npos ||
        guideline.size() > judging::kMaxTextBytes) {
      return InvalidField(kRowField, "each guideline must have 1 byte to 64 KiB",
                          "INVALID_GUIDELINES");
    }
  }
  return guidelines;
}

const std::optional<std::string>& Root(const Subject& subject, std::string_view path) {
  if (path.substr(0, 7) == "outputs") return subject.outputs;
  if (path.substr(0, 6) == "inputs") return subject.inputs;
  return subject.expectations;
}

// `outputs.message` within the outputs' JSON: the path below the root.
absl::StatusOr<std::string> ValueAt(const Subject& subject, const std::string& path) {
  const std::optional<std::string>& root = Root(subject, path);
  if (!root.has_value()) return Missing(path, "is shown to this judge and must be given");
  const size_t below = path.find_first_of(".[");
  std::string_view rest = below == std::string::npos ? "" : std::string_view(path).substr(below);
  if (!rest.empty() && rest.front() == '.') rest.remove_prefix(1);
  ASSAY_ASSIGN_OR_RETURN(const json::Node node, json::ParseJson(*root));
  ASSAY_ASSIGN_OR_RETURN(const json::Node* found, json::JsonPathFind(node, rest));
  if (found == nullptr)
    return Missing(path, "is shown to this judge, but there is nothing at the path");
  return found->ToJson();
}

absl::Status CollectGivenContext(const Subject& subject, GuidelinesCase* result) {
  static const RE2* const names = new RE2("[A-Za-z_][A-Za-z0-9_]*");
  if (subject.context.size() > judging::kMaxContextEntries) {
    return InvalidField("context", "has more than 50 entries", "INVALID_CONTEXT");
  }
  for (const auto& [name, text] : subject.context) {
    if (name.size() > 250 || !RE2::FullMatch(name, *names)) {
      return InvalidField("context",
                          StrCat("has the name `", json::PreviewOf(name, 60),
                                 "`; names match [A-Za-z_][A-Za-z0-9_]*"),
                          "INVALID_CONTEXT");
    }
    result->context.emplace_back(name, text);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GuidelinesCase> CollectGuidelinesCase(const registry::v1::GuidelinesJudge& judge,
                                                     const Subject& subject) {
  GuidelinesCase result;
  if (judge.per_row()) {
    ASSAY_ASSIGN_OR_RETURN(result.guidelines, RowGuidelines(subject));
  } else {
    result.guidelines.assign(judge.guidelines().begin(), judge.guidelines().end());
  }
  if (!subject.context.empty()) {
    ASSAY_RETURN_IF_ERROR(CollectGivenContext(subject, &result));
    return result;
  }
  if (judge.context_size() > 0) {
    const std::map<std::string, std::string> sorted(judge.context().begin(), judge.context().end());
    for (const auto& [name, path] : sorted) {
      ASSAY_ASSIGN_OR_RETURN(std::string value, ValueAt(subject, path));
      result.context.emplace_back(name, std::move(value));
    }
    return result;
  }
  if (!subject.inputs.has_value()) {
    return Missing("inputs",
                   "are needed by a guidelines judge, as the request (or give `context`)");
  }
  if (!subject.outputs.has_value()) {
    return Missing("outputs",
                   "are needed by a guidelines judge, as the response (or give `context`)");
  }
  result.context.emplace_back("request", RequestOf(*subject.inputs));
  result.context.emplace_back("response", ResponseOf(*subject.outputs));
  return result;
}

}  // namespace assay::judge
