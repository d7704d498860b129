#include "common/judging/template_variables.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "re2/re2.h"

namespace assay::judging {

namespace {

constexpr std::pair<std::string_view, TemplateVariable> kVariables[] = {
    {"inputs", TemplateVariable::kInputs},
    {"outputs", TemplateVariable::kOutputs},
    {"expectations", TemplateVariable::kExpectations},
    {"trace", TemplateVariable::kTrace},
};
constexpr std::string_view kAllowed =
    "{{ inputs }}, {{ outputs }}, {{ expectations }}, {{ trace }}";

std::optional<TemplateVariable> VariableNamed(std::string_view name) {
  for (const auto& [known, variable] : kVariables) {
    if (known == name) return variable;
  }
  return std::nullopt;
}

}  // namespace

std::string_view TemplateVariableName(TemplateVariable variable) {
  for (const auto& [name, known] : kVariables) {
    if (known == variable) return name;
  }
  return "";
}

absl::StatusOr<std::vector<TemplateVariable>> ParseTemplateVariables(std::string_view text,
                                                                     std::string_view field) {
  static const RE2* const pattern = new RE2(R"(\{\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}\})");
  std::vector<TemplateVariable> found;
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece name;
  while (RE2::FindAndConsume(&rest, *pattern, &name)) {
    const std::optional<TemplateVariable> variable =
        VariableNamed(std::string_view(name.data(), name.size()));
    if (!variable.has_value()) {
      return InvalidField(field,
                          StrCat("has the unknown template variable `{{ ",
                                 json::PreviewOf(std::string_view(name.data(), name.size()), 100),
                                 " }}`; allowed are ", kAllowed),
                          "UNKNOWN_TEMPLATE_VARIABLE");
    }
    if (std::find(found.begin(), found.end(), *variable) == found.end()) found.push_back(*variable);
  }
  if (found.empty()) {
    return InvalidField(field,
                        StrCat("needs at least one template variable; allowed are ", kAllowed),
                        "MISSING_TEMPLATE_VARIABLE");
  }
  return found;
}

}  // namespace assay::judging
