// Settings of a program: the flag --some_name, else the environment's ASSAY_SOME_NAME, else the
// default.
//
//   Options options;                        // Members hold the defaults.
//   config::FlagSet flags("assay-trace", "Stores and searches traces.");
//   flags.Group("Serving");
//   flags.Add("listen", &options.listen, "Address to serve on.", {.example = "0.0.0.0:7402"});
//   if (std::optional<int> code = flags.ParseOrExitCode(argc, argv)) return *code;
#ifndef ASSAY_COMMON_CONFIG_FLAGS_H_
#define ASSAY_COMMON_CONFIG_FLAGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace assay::config {

struct FlagOptions {
  std::string example = {};               // A value, shown by --help.
  bool secret = false;                    // Never printed: not by --help, --print_config or errors.
  bool required = false;                  // An empty or unset value is an error.
  std::vector<std::string> allowed = {};  // For strings: the only values, if any are given.
  std::optional<double> min = {};         // For numbers; durations in seconds.
  std::optional<double> max = {};
};

// The value of an environment variable, or nullopt.
using EnvLookup = std::function<std::optional<std::string>(const std::string& name)>;

// The process's own environment.
std::optional<std::string> ProcessEnvironment(const std::string& name);

// Not thread-safe.
class FlagSet {
 public:
  using Target = std::variant<std::string*, int*, int64_t*, double*, bool*, absl::Duration*,
                              std::vector<std::string>*>;

  // What came of the command line.
  struct Outcome {
    std::optional<std::string> print_and_exit;  // --help or --print_config: print this and end.
    std::vector<std::string> positional;        // What is no flag, and what follows "--".
  };

  FlagSet(std::string program, std::string about);

  // Title of the flags that follow, in --help.
  void Group(std::string title);

  // For a program that holds several services: the flags that follow get `prefix` and "_" before
  // their names, unless they begin so, and those named in `without` (as they are added) are left
  // out: their targets keep their values. An empty prefix ends it.
  void Scope(std::string prefix, std::vector<std::string> without = {});

  // `target` outlives the set and holds the default. Names are [a-z][a-z0-9_]*; a name that is not,
  // or is taken, is a bug of the program and ends it. Lists are comma-separated; a repeated flag
  // adds to its list, an empty one empties it. Durations are like 30s, 1h30m, 250ms; bools are true
  // or false, and a bare --name is true.
  void Add(std::string name, Target target, std::string help, FlagOptions options = {});

  // Whether the program takes positional arguments; by default one is refused.
  void AllowPositional(std::string description);

  // `args` without the program's name. On error (INVALID_ARGUMENT, reason INVALID_FLAG; all errors
  // at once, a line each) the targets may hold some of the new values.
  absl::StatusOr<Outcome> Parse(const std::vector<std::string>& args,
                                const EnvLookup& env = ProcessEnvironment);

  // Parses main's arguments. Help goes to stdout, errors to stderr; then returns the exit code (0
  // or 2). nullopt means: go on.
  std::optional<int> ParseOrExitCode(int argc, char** argv,
                                     std::vector<std::string>* positional = nullptr);

  std::string Help() const;
  // One line a flag: name=value and where it comes from. Secrets show only whether they are set.
  std::string PrintConfig() const;

 private:
  enum class Source : uint8_t { kDefault, kEnvironment, kFlag };
  struct Flag {
    std::string name;
    std::string group;
    Target target;
    std::string help;
    FlagOptions options;
    std::string default_text;
    Source source = Source::kDefault;
  };

  Flag* Find(std::string_view name);
  std::string Suggest(std::string_view name) const;
  absl::Status Assign(Flag& flag, std::string_view text, Source source);
  void ReadEnvironment(const EnvLookup& env, std::vector<std::string>* errors);
  // Reads the flag at args[*at]; moves `at` if its value stands in the next argument.
  void ReadFlag(const std::vector<std::string>& args, size_t* at, std::vector<std::string>* errors);
  void ReadArguments(const std::vector<std::string>& args, Outcome* outcome, bool* help,
                     bool* print_config, std::vector<std::string>* errors);

  std::string program_;
  std::string about_;
  std::string group_;
  std::string prefix_;
  std::vector<std::string> without_;
  std::string positional_;
  std::vector<Flag> flags_;
};

// "ASSAY_SOME_NAME" for "some_name".
std::string EnvironmentName(std::string_view flag_name);

}  // namespace assay::config

#endif  // ASSAY_COMMON_CONFIG_FLAGS_H_
