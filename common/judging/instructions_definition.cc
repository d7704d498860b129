#include "common/judging/instructions_definition.h"

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

using registry::v1::InstructionsJudge;

// Names of blocks that have a meaning of their own in a prompt.
bool IsTaken(std::string_view name) {
  for (const std::string_view taken :
       {"inputs", "outputs", "expectations", "trace", "conversation", "example"}) {
    if (name == taken) return true;
  }
  return false;
}

absl::Status ValidateNamedInputs(const InstructionsJudge& judge, std::string_view field) {
  const std::string named = StrCat(field, ".named_inputs");
  constexpr std::string_view kReason = "INVALID_NAMED_INPUTS";
  if (judge.named_inputs_size() > kMaxNamedInputs) {
    return InvalidField(named, "has more than 50 entries", kReason);
  }
  const std::map<std::string, std::string> sorted(judge.named_inputs().begin(),
                                                  judge.named_inputs().end());
  for (const auto& [name, path] : sorted) {
    if (!IsVariableName(name) || IsTaken(name)) {
      return InvalidField(named,
                          StrCat("has the name `", json::PreviewOf(name, 60),
                                 "`; names match [A-Za-z_][A-Za-z0-9_]*, have at most 250 bytes, "
                                 "and are none of inputs, outputs, expectations, trace, "
                                 "conversation, example"),
                          kReason);
    }
    ASSAY_RETURN_IF_ERROR(ParseJudgePath(path, StrCat(named, "[", name, "]"), kReason).status());
  }
  return absl::OkStatus();
}

absl::Status ValidateConversationOptions(const InstructionsJudge& judge, bool conversation,
                                         std::string_view field) {
  constexpr std::string_view kRule = "is only for instructions with {{ conversation }}";
  if (conversation) return absl::OkStatus();
  if (judge.include_tool_calls()) return InvalidField(StrCat(field, ".include_tool_calls"), kRule);
  if (judge.include_timing()) return InvalidField(StrCat(field, ".include_timing"), kRule);
  return absl::OkStatus();
}

absl::Status ValidateTraceReading(const registry::v1::TraceReading& reading,
                                  std::string_view field) {
  constexpr int kMaxToolRounds = 100;
  if (!registry::v1::TraceReading::Mode_IsValid(reading.mode())) {
    return InvalidField(StrCat(field, ".mode"), "is none of MODE_SHOWN, MODE_TOOLS");
  }
  if (reading.max_rounds() < 0 || reading.max_rounds() > kMaxToolRounds) {
    return InvalidField(StrCat(field, ".max_rounds"), "must be from 1 to 100; 0 means 30");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<TemplateVariable>> VariablesOf(const InstructionsJudge& judge,
                                                          std::string_view field) {
  return ParseTemplateVariables(judge.instructions(), StrCat(field, ".instructions"),
                                {judge.named_inputs().begin(), judge.named_inputs().end()});
}

bool RefersTo(const InstructionsJudge& judge, VariableKind kind) {
  const absl::StatusOr<std::vector<TemplateVariable>> variables = VariablesOf(judge);
  return variables.ok() && HasKind(*variables, kind);
}

absl::Status ValidateInstructionsJudge(const InstructionsJudge& judge, std::string_view field) {
  ASSAY_RETURN_IF_ERROR(
      ValidateText(judge.instructions(), StrCat(field, ".instructions"), "INVALID_FIELD"));
  ASSAY_RETURN_IF_ERROR(ValidateNamedInputs(judge, field));
  ASSAY_RETURN_IF_ERROR(
      ValidateTraceReading(judge.trace_reading(), StrCat(field, ".trace_reading")));
  ASSAY_ASSIGN_OR_RETURN(const std::vector<TemplateVariable> variables, VariablesOf(judge, field));
  return ValidateConversationOptions(judge, HasKind(variables, VariableKind::kConversation), field);
}

}  // namespace assay::judging
