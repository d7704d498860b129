// What the flags say of themselves: --help and --print_config.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/config/flag_value.h"
#include "common/config/flags.h"
#include "common/strings/strings.h"

namespace assay::config {
namespace {

constexpr size_t kHelpWidth = 96;

// `text` in lines of at most kHelpWidth characters, each indented by `indent` spaces.
std::string Wrap(std::string_view text, size_t indent) {
  std::string out;
  std::string line(indent, ' ');
  size_t at = 0;
  while (at < text.size()) {
    const size_t space = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, space - at);
    at = space + 1;
    if (line.size() > indent && line.size() + 1 + word.size() > kHelpWidth) {
      StrAppend(&out, line, "\n");
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line += ' ';
    line += word;
  }
  return StrCat(out, line, "\n");
}

}  // namespace

std::string FlagSet::Help() const {
  std::string out =
      StrCat(Wrap(StrCat(program_, ": ", about_), 0), "\nUsage: ", program_, " [--flag=value ...]",
             positional_.empty() ? "" : " ", positional_,
             "\nEach flag may also be set in the environment; a flag on the command line wins.\n");
  const std::string* group = nullptr;
  for (const Flag& flag : flags_) {
    if (group == nullptr || *group != flag.group) {
      group = &flag.group;
      StrAppend(&out, "\n", group->empty() ? "Flags" : *group, ":\n");
    }
    StrAppend(&out, "  --", flag.name, "=<", TypeName(flag.target), ">\n", Wrap(flag.help, 6));
    std::vector<std::string> facts;
    if (!flag.options.allowed.empty()) {
      facts.push_back(StrCat("one of: ", absl::StrJoin(flag.options.allowed, ", ")));
    }
    if (flag.options.required) {
      facts.push_back("required");
    } else if (flag.options.secret) {
      facts.push_back("secret, never printed");
    } else {
      facts.push_back(StrCat("default: ", flag.default_text.empty() ? "none" : flag.default_text));
    }
    facts.push_back(StrCat("environment: ", EnvironmentName(flag.name)));
    if (!flag.options.example.empty()) {
      facts.push_back(StrCat("example: --", flag.name, "=", flag.options.example));
    }
    out += Wrap(absl::StrJoin(facts, "; "), 6);
  }
  return out +
         "\nOther:\n  --help\n      Print this and end.\n  --print_config\n"
         "      Print the settings in effect and where each comes from, and end.\n";
}

std::string FlagSet::PrintConfig() const {
  constexpr std::string_view kSources[] = {"default", "environment", "flag"};
  std::string out;
  for (const Flag& flag : flags_) {
    std::string value = ValueText(flag.target);
    if (flag.options.secret) value = value.empty() ? "(not set)" : "(set, not shown)";
    StrAppend(&out, flag.name, "=", value, "  # ", kSources[static_cast<size_t>(flag.source)],
              "\n");
  }
  return out;
}

}  // namespace assay::config
