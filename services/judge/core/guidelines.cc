#include "services/judge/core/guidelines.h"

#include <map>
#include <string_view>

#include "common/json/safe_json.h"
#include "common/judging/guidelines_definition.h"
#include "common/judging/judge_path.h"
#include "common/judging/text_rule.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/chat_text.h"
#include "services/judge/core/conversation.h"
#include "services/judge/core/subject_values.h"

namespace assay::judge {

namespace {

constexpr std::string_view kRowField = "expectations.guidelines";

// The row's guidelines, else those that people expect of the trace; null if there are none.
absl::StatusOr<json::Node> RowGuidelinesNode(const Subject& subject) {
  if (subject.expectations.has_value()) {
    ASSAY_ASSIGN_OR_RETURN(const json::Node expectations, json::ParseJson(*subject.expectations));
    const json::Node* given = expectations.Find("guidelines");
    if (given != nullptr && !given->is_null()) return *given;
  }
  if (const trace::v1::Trace* trace = ExpectationsTrace(subject)) {
    const std::map<std::string, std::string> expected = HumanExpectations(*trace);
    const auto found = expected.find("guidelines");
    if (found != expected.end()) return json::ParseJson(found->second);
  }
  return json::Node();
}

absl::StatusOr<std::vector<std::string>> RowGuidelines(const Subject& subject) {
  ASSAY_ASSIGN_OR_RETURN(const json::Node read, RowGuidelinesNode(subject));
  const json::Node* node = &read;
  if (node->is_null()) {
    return MissingInput(kRowField,
                        "is needed by a judge with guidelines per row: a text or a list of texts, "
                        "of the row or as a person's expectation `guidelines` of the trace");
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
  if (guidelines.empty()) return MissingInput(kRowField, "must hold at least one guideline");
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

absl::Status CollectGivenContext(const Subject& subject, GuidelinesCase* result) {
  if (subject.context.size() > judging::kMaxContextEntries) {
    return InvalidField("context", "has more than 50 entries", "INVALID_CONTEXT");
  }
  for (const auto& [name, text] : subject.context) {
    ASSAY_RETURN_IF_ERROR(judging::ValidateContextName(name, "context"));
    result->context.emplace_back(name, text);
  }
  return absl::OkStatus();
}

absl::Status CollectByPaths(const registry::v1::GuidelinesJudge& judge, const Subject& subject,
                            GuidelinesCase* result) {
  const std::map<std::string, std::string> sorted(judge.context().begin(), judge.context().end());
  for (const auto& [name, path] : sorted) {
    ASSAY_ASSIGN_OR_RETURN(const judging::JudgePath parsed, judging::ParseJudgePath(path, name));
    ASSAY_ASSIGN_OR_RETURN(std::string value,
                           ValueAt(subject, parsed, StrCat("the judge shows it as `", name, "`")));
    result->context.emplace_back(name, std::move(value));
  }
  return absl::OkStatus();
}

absl::Status CollectConversation(const Subject& subject, GuidelinesCase* result) {
  if (!subject.context.empty()) {
    return InvalidField("context",
                        "must be empty: this judge looks at the conversation of a session",
                        "INVALID_CONTEXT");
  }
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Turn> turns, ConversationOf(subject));
  result->context.emplace_back("conversation", ConversationJson(turns));
  return absl::OkStatus();
}

absl::Status CollectRequestAndResponse(const Subject& subject, GuidelinesCase* result) {
  if (!subject.inputs.has_value()) {
    return MissingInput("inputs",
                        "are needed by a guidelines judge, as the request (or give `context`)");
  }
  if (!subject.outputs.has_value()) {
    return MissingInput("outputs",
                        "are needed by a guidelines judge, as the response (or give `context`)");
  }
  result->context.emplace_back("request", RequestOf(*subject.inputs));
  result->context.emplace_back("response", ResponseOf(*subject.outputs));
  return absl::OkStatus();
}

absl::Status CollectContext(const registry::v1::GuidelinesJudge& judge, const Subject& subject,
                            GuidelinesCase* result) {
  if (judge.conversation()) return CollectConversation(subject, result);
  if (!subject.context.empty()) return CollectGivenContext(subject, result);
  if (judge.context_size() > 0) return CollectByPaths(judge, subject, result);
  return CollectRequestAndResponse(subject, result);
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
  ASSAY_RETURN_IF_ERROR(CollectContext(judge, subject, &result));
  return result;
}

}  // namespace assay::judge
