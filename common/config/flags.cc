#include "common/config/flags.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/config/flag_value.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::config {
namespace {

bool IsFlagName(std::string_view name) {
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// How many letters must be changed, added or removed to make `b` of `a`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

[[noreturn]] void DieOfBug(std::string_view what) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string EnvironmentName(std::string_view flag_name) {
  return StrCat("ASSAY_", absl::AsciiStrToUpper(ToAbsl(flag_name)));
}

FlagSet::FlagSet(std::string program, std::string about)
    : program_(std::move(program)), about_(std::move(about)) {}

void FlagSet::Group(std::string title) {
  group_ = prefix_.empty() ? std::move(title) : StrCat(prefix_, ": ", title);
}

void FlagSet::Scope(std::string prefix, std::vector<std::string> without) {
  prefix_ = std::move(prefix);
  without_ = std::move(without);
}

void FlagSet::AllowPositional(std::string description) { positional_ = std::move(description); }

void FlagSet::Add(std::string name, Target target, std::string help, FlagOptions options) {
  if (std::find(without_.begin(), without_.end(), name) != without_.end()) return;
  if (!prefix_.empty() && !name.starts_with(StrCat(prefix_, "_")))
    name = StrCat(prefix_, "_", name);
  if (!IsFlagName(name) || Find(name) != nullptr || name == "help" || name == "print_config") {
    DieOfBug(StrCat("flag --", name, " is badly named or defined twice"));
  }
  flags_.push_back({.name = std::move(name),
                    .group = group_,
                    .target = target,
                    .help = std::move(help),
                    .options = std::move(options),
                    .default_text = ValueText(target)});
}

FlagSet::Flag* FlagSet::Find(std::string_view name) {
  const auto found = std::find_if(flags_.begin(), flags_.end(),
                                  [&](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

std::string FlagSet::Suggest(std::string_view name) const {
  const std::string lower = absl::AsciiStrToLower(ToAbsl(name.substr(0, 100)));
  std::string best;
  size_t best_distance = lower.size() / 3 + 2;  // Farther ones are no help.
  const auto consider = [&](const std::string& candidate) {
    const size_t distance = EditDistance(lower, candidate);
    if (distance >= best_distance) return;
    best_distance = distance;
    best = candidate;
  };
  for (const Flag& flag : flags_) consider(flag.name);
  consider("help");
  consider("print_config");
  return best.empty() ? "see --help" : StrCat("did you mean --", best, "?");
}

absl::Status FlagSet::Assign(Flag& flag, std::string_view text, Source source) {
  // A list that is given a second time goes on; an empty value empties it.
  const bool more = !text.empty() &&
                    std::holds_alternative<std::vector<std::string>*>(flag.target) &&
                    source == Source::kFlag && flag.source == Source::kFlag;
  const std::string wrong =
      StoreValue(more ? StrCat(ValueText(flag.target), ",", text) : std::string(text), flag.options,
                 flag.target);
  if (wrong.empty()) {
    flag.source = source;
    return absl::OkStatus();
  }
  const std::string where =
      source == Source::kFlag ? StrCat("--", flag.name) : EnvironmentName(flag.name);
  const std::string shown =
      flag.options.secret ? "" : StrCat(", not \"", text.substr(0, 200), "\"");
  return absl::InvalidArgumentError(StrCat(where, " ", wrong, shown));
}

void FlagSet::ReadEnvironment(const EnvLookup& env, std::vector<std::string>* errors) {
  for (Flag& flag : flags_) {
    const std::optional<std::string> text = env(EnvironmentName(flag.name));
    if (!text) continue;
    if (const absl::Status status = Assign(flag, *text, Source::kEnvironment); !status.ok()) {
      errors->emplace_back(status.message());
    }
  }
}

void FlagSet::ReadArguments(const std::vector<std::string>& args, Outcome* outcome, bool* help,
                            bool* print_config, std::vector<std::string>* errors) {
  bool only_positional = false;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (only_positional || arg.size() < 2 || arg[0] != '-') {
      outcome->positional.push_back(arg);
    } else if (arg == "--") {
      only_positional = true;
    } else if (arg == "--help" || arg == "-h") {
      *help = true;
    } else if (arg == "--print_config") {
      *print_config = true;
    } else {
      ReadFlag(args, &i, errors);
    }
  }
}

void FlagSet::ReadFlag(const std::vector<std::string>& args, size_t* at,
                       std::vector<std::string>* errors) {
  const std::string& arg = args[*at];
  const size_t equals = std::min(arg.find('='), arg.size());
  const std::string name = arg.substr(0, equals);
  Flag* flag = name.compare(0, 2, "--") == 0 ? Find(std::string_view(name).substr(2)) : nullptr;
  if (flag == nullptr) {
    std::string wanted = name.substr(std::min(name.find_first_not_of('-'), name.size()));
    std::replace(wanted.begin(), wanted.end(), '-', '_');
    errors->push_back(StrCat("unknown flag ", name.substr(0, 100), "; ", Suggest(wanted)));
    return;
  }
  std::string text = "true";  // What a bare bool means.
  if (equals < arg.size()) {
    text = arg.substr(equals + 1);
  } else if (!std::holds_alternative<bool*>(flag->target)) {
    if (*at + 1 >= args.size()) {
      errors->push_back(StrCat(name, " needs a value: ", name, "=…"));
      return;
    }
    text = args[++*at];
  }
  if (const absl::Status status = Assign(*flag, text, Source::kFlag); !status.ok()) {
    errors->emplace_back(status.message());
  }
}

absl::StatusOr<FlagSet::Outcome> FlagSet::Parse(const std::vector<std::string>& args,
                                                const EnvLookup& env) {
  Outcome outcome;
  bool help = false;
  bool print_config = false;
  std::vector<std::string> errors;
  ReadEnvironment(env, &errors);
  ReadArguments(args, &outcome, &help, &print_config, &errors);
  if (help) {
    outcome.print_and_exit = Help();
    return outcome;
  }
  if (positional_.empty() && !outcome.positional.empty()) {
    errors.push_back(StrCat("unexpected argument \"", outcome.positional.front().substr(0, 100),
                            "\"; flags are written --name=value"));
  }
  for (const Flag& flag : flags_) {
    if (flag.options.required && ValueText(flag.target).empty()) {
      errors.push_back(StrCat("--", flag.name, " is required (or set ", EnvironmentName(flag.name),
                              "): ", flag.help));
    }
  }
  if (!errors.empty()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_FLAG",
                     absl::StrJoin(errors, "\n"));
  }
  if (print_config) outcome.print_and_exit = PrintConfig();
  return outcome;
}

std::optional<int> FlagSet::ParseOrExitCode(int argc, char** argv,
                                            std::vector<std::string>* positional) {
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  const absl::StatusOr<Outcome> outcome = Parse(args);
  if (!outcome.ok()) {
    const std::string message(outcome.status().message());
    std::fprintf(stderr, "%s: %s\n", program_.c_str(), message.c_str());
    return 2;
  }
  if (outcome->print_and_exit) {
    std::fputs(outcome->print_and_exit->c_str(), stdout);
    return 0;
  }
  if (positional != nullptr) *positional = outcome->positional;
  return std::nullopt;
}

}  // namespace assay::config
