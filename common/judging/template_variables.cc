#include "common/judging/template_variables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using NamedPaths = std::map<std::string, std::string>;

constexpr std::pair<std::string_view, VariableKind> kKinds[] = {
    {"inputs", VariableKind::kInputs},
    {"outputs", VariableKind::kOutputs},
    {"expectations", VariableKind::kExpectations},
    {"trace", VariableKind::kTrace},
    {"conversation", VariableKind::kConversation},
};
constexpr std::string_view kSpace = " \t\r\n\f\v";

std::optional<VariableKind> KindNamed(std::string_view name) {
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

VariableKind KindOf(PathRoot root) {
  switch (root) {
    case PathRoot::kInputs:
      return VariableKind::kInputs;
    case PathRoot::kOutputs:
      return VariableKind::kOutputs;
    case PathRoot::kExpectations:
      break;
  }
  return VariableKind::kExpectations;
}

std::string Allowed(const NamedPaths& named) {
  std::string text =
      "allowed are {{ inputs }}, {{ outputs }}, {{ expectations }}, {{ trace }}, "
      "{{ conversation }}, paths into the first three such as {{ outputs.message }}";
  if (named.empty()) return StrCat(text, ", and names of named_inputs");
  text += ", and";
  int shown = 0;
  for (const auto& [name, path] : named) {
    if (++shown > 20) return text + " other named inputs";
    StrAppend(&text, shown > 1 ? "," : "", " {{ ", json::PreviewOf(name, 60), " }}");
  }
  return text;
}

// A character that may stand in a name. Letters of other alphabets may, so that a name with one is
// an unknown variable, not plain text.
bool IsNameChar(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalnum(byte) || c == '_' || byte >= 0x80;
}

size_t NameSize(std::string_view text) {
  if (text.empty() || absl::ascii_isdigit(static_cast<unsigned char>(text.front()))) return 0;
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), IsNameChar) - text.begin());
}

// What stands between braces, without the white space around it, if it has the form of a variable:
// a name, and perhaps a path. Nothing that holds braces itself or white space in front of its path
// is one.
struct Braced {
  std::string_view name;
  std::string_view rest;  // The path, from its first `.` or `[`.
  std::string_view all;
  size_t end = 0;  // Behind the closing braces.
};

// At opening braces; nullopt for plain text.
std::optional<Braced> ReadBraced(std::string_view text, size_t open) {
  const size_t begin = text.find_first_not_of(kSpace, open + 2);
  if (begin == text.npos) return std::nullopt;
  const size_t close = text.find_first_of("{}", begin);
  if (close == text.npos || text.substr(close, 2) != "}}") return std::nullopt;
  std::string_view all = text.substr(begin, close - begin);
  while (!all.empty() && kSpace.find(all.back()) != kSpace.npos) all.remove_suffix(1);
  const size_t size = NameSize(all);
  if (size == 0) return std::nullopt;
  Braced braced{all.substr(0, size), all.substr(size), all, close + 2};
  if (!braced.rest.empty() && braced.rest.front() != '.' && braced.rest.front() != '[') {
    return std::nullopt;
  }
  return braced;
}

// White space outside of back quotes: no path of a variable has any.
bool HasSpace(std::string_view path) {
  bool quoted = false;
  for (const char c : path) {
    if (c == '`') quoted = !quoted;
    if (!quoted && kSpace.find(c) != kSpace.npos) return true;
  }
  return false;
}

absl::StatusOr<TemplateVariable> VariableOf(const Braced& braced, std::string_view field,
                                            const NamedPaths& named) {
  const std::string name(braced.all);
  const std::optional<VariableKind> kind = KindNamed(braced.name);
  if (kind.has_value()) {
    const bool whole_only = *kind == VariableKind::kTrace || *kind == VariableKind::kConversation;
    if (whole_only && braced.rest.empty()) return TemplateVariable{*kind, name, {}};
    if (!whole_only) {
      if (HasSpace(braced.rest)) {
        return InvalidField(field,
                            StrCat("has the template variable `{{ ", json::PreviewOf(name, 100),
                                   " }}`; names with white space stand in back quotes, like {{ "
                                   "outputs.`final answer` }}"),
                            "INVALID_TEMPLATE_VARIABLES");
      }
      ASSAY_ASSIGN_OR_RETURN(JudgePath path,
                             ParseJudgePath(braced.all, field, "INVALID_TEMPLATE_VARIABLES"));
      return TemplateVariable{*kind, name, std::move(path)};
    }
  }
  if (const auto found = named.find(name); found != named.end()) {
    ASSAY_ASSIGN_OR_RETURN(JudgePath path,
                           ParseJudgePath(found->second, field, "INVALID_TEMPLATE_VARIABLES"));
    const VariableKind root = KindOf(path.root);
    return TemplateVariable{root, name, std::move(path)};
  }
  return InvalidField(field,
                      StrCat("has the unknown template variable `{{ ", json::PreviewOf(name, 100),
                             " }}`; ", Allowed(named)),
                      "UNKNOWN_TEMPLATE_VARIABLE");
}

absl::Status CheckTogether(const std::vector<TemplateVariable>& variables, std::string_view field) {
  if (!HasKind(variables, VariableKind::kConversation)) return absl::OkStatus();
  for (const TemplateVariable& variable : variables) {
    if (variable.kind == VariableKind::kConversation ||
        variable.kind == VariableKind::kExpectations) {
      continue;
    }
    return InvalidField(
        field,
        StrCat("has {{ conversation }} together with {{ ", json::PreviewOf(variable.name, 100),
               " }}; beside {{ conversation }} only {{ expectations }} is allowed"),
        "INVALID_TEMPLATE_VARIABLES");
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view VariableKindName(VariableKind kind) {
  for (const auto& [name, known] : kKinds) {
    if (known == kind) return name;
  }
  return "";
}

bool HasKind(const std::vector<TemplateVariable>& variables, VariableKind kind) {
  return std::any_of(variables.begin(), variables.end(),
                     [&](const TemplateVariable& variable) { return variable.kind == kind; });
}

absl::StatusOr<std::vector<TemplateVariable>> ParseTemplateVariables(std::string_view text,
                                                                     std::string_view field,
                                                                     const NamedPaths& named) {
  std::vector<TemplateVariable> found;
  size_t at = 0;
  while ((at = text.find("{{", at)) != text.npos) {
    const std::optional<Braced> braced = ReadBraced(text, at);
    if (!braced.has_value()) {
      ++at;
      continue;
    }
    at = braced->end;
    const bool known = std::any_of(found.begin(), found.end(), [&](const TemplateVariable& one) {
      return one.name == braced->all;
    });
    if (known) continue;
    ASSAY_ASSIGN_OR_RETURN(TemplateVariable variable, VariableOf(*braced, field, named));
    found.push_back(std::move(variable));
    if (found.size() > kMaxTemplateVariables) {
      return InvalidField(field, "has more than 100 different template variables",
                          "INVALID_TEMPLATE_VARIABLES");
    }
  }
  if (found.empty()) {
    return InvalidField(field, StrCat("needs at least one template variable; ", Allowed(named)),
                        "MISSING_TEMPLATE_VARIABLE");
  }
  ASSAY_RETURN_IF_ERROR(CheckTogether(found, field));
  return found;
}

}  // namespace assay::judging
