#include "common/judging/guidelines_definition.h"

#include <map>
#include <string>

#include "common/json/utf8.h"
#include "common/judging/judge_path.h"
#include "common/judging/text_rule.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using registry::v1::GuidelinesJudge;

constexpr std::string_view kGuidelinesReason = "INVALID_GUIDELINES";
constexpr std::string_view kContextReason = "INVALID_CONTEXT";

absl::Status ValidateList(const GuidelinesJudge& judge, std::string_view field) {
  const std::string list = StrCat(field, ".guidelines");
  if (judge.per_row() && judge.guidelines_size() > 0) {
    return InvalidField(list, "must be empty when per_row is set", kGuidelinesReason);
  }
  if (!judge.per_row() && judge.guidelines_size() == 0) {
    return InvalidField(list, "needs at least one guideline, unless per_row is set",
                        kGuidelinesReason);
  }
  if (judge.guidelines_size() > kMaxGuidelines) {
    return InvalidField(list, "has more than 100 guidelines", kGuidelinesReason);
  }
  for (int i = 0; i < judge.guidelines_size(); ++i) {
    ASSAY_RETURN_IF_ERROR(
        ValidateText(judge.guidelines(i), StrCat(list, "[", i, "]"), kGuidelinesReason));
  }
  return absl::OkStatus();
}

absl::Status ValidateContext(const GuidelinesJudge& judge, std::string_view field) {
  const std::string context = StrCat(field, ".context");
  if (judge.conversation() && judge.context_size() > 0) {
    return InvalidField(context, "must be empty when conversation is set: the turns stand for it",
                        kContextReason);
  }
  if (judge.context_size() > kMaxContextEntries) {
    return InvalidField(context, "has more than 50 entries", kContextReason);
  }
  const std::map<std::string, std::string> sorted(judge.context().begin(), judge.context().end());
  for (const auto& [name, path] : sorted) {
    ASSAY_RETURN_IF_ERROR(ValidateContextName(name, context));
    ASSAY_RETURN_IF_ERROR(
        ParseJudgePath(path, StrCat(context, "[", name, "]"), kContextReason).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateContextName(std::string_view name, std::string_view field) {
  if (IsVariableName(name)) return absl::OkStatus();
  return InvalidField(field,
                      StrCat("has the name `", json::PreviewOf(name, 60),
                             "`; names match [A-Za-z_][A-Za-z0-9_]* and have at most 250 bytes"),
                      kContextReason);
}

absl::Status ValidateGuidelinesJudge(const GuidelinesJudge& judge, std::string_view field) {
  ASSAY_RETURN_IF_ERROR(ValidateList(judge, field));
  return ValidateContext(judge, field);
}

}  // namespace assay::judging
