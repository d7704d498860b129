#include "services/judge/clients/limits/limit_config.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

constexpr std::string_view kForm =
    "is of=<openai:/ or endpoints:/name>[,max_in_flight=<1..10000>][,requests_per_minute=<number>]"
    "[,tokens_per_minute=<number>]";

absl::Status Invalid(std::string_view what) {
  return InvalidField("model_limit", what, "INVALID_FLAG");
}

absl::StatusOr<double> NumberOf(std::string_view name, std::string_view text, double least,
                                double most) {
  double number = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &number) || !(number >= least && number <= most)) {
    return Invalid(StrCat(name, "= is a number from ", least, " to ", most, "; the flag ", kForm));
  }
  return number;
}

absl::Status SetField(std::string_view name, std::string_view value, ProviderLimits* limits) {
  if (name == "max_in_flight") {
    ASSAY_ASSIGN_OR_RETURN(limits->max_in_flight, NumberOf(name, value, 1, 10'000));
  } else if (name == "requests_per_minute") {
    ASSAY_ASSIGN_OR_RETURN(limits->requests_per_minute, NumberOf(name, value, 0, 1e9));
  } else if (name == "tokens_per_minute") {
    ASSAY_ASSIGN_OR_RETURN(limits->tokens_per_minute, NumberOf(name, value, 0, 1e12));
  } else {
    return Invalid(kForm);
  }
  return absl::OkStatus();
}

}  // namespace

void AddLimitFlags(config::FlagSet& flags, LimitFlags* values) {
  flags.Add("model_requests_per_minute", &values->requests_per_minute,
            "Attempts a minute to one provider or endpoint; 0: not limited.",
            {.min = 0, .max = 1'000'000'000});
  flags.Add("model_tokens_per_minute", &values->tokens_per_minute,
            "Tokens a minute, read and written, at one provider or endpoint; 0: not limited.",
            {.min = 0, .max = 1'000'000'000});
  flags.Add("model_limit", &values->model_limit,
            "Limits of one provider or endpoint, in place of the common ones. Repeat it for more.",
            {.example = "of=openai:/,max_in_flight=64,requests_per_minute=500,"
                        "tokens_per_minute=200000"});
  flags.Add(
      "circuit_failures", &values->circuit_failures,
      "After so many failed calls in a row a model is not asked for a while; 0: it always is.",
      {.min = 0, .max = 1'000'000});
  flags.Add("circuit_open", &values->circuit_open,
            "How long a model that failed so often is not asked.", {.min = 0.001, .max = 3600});
}

absl::StatusOr<LimitConfig> ResolveLimitConfig(const LimitFlags& flags) {
  LimitConfig config;
  config.requests_per_minute = flags.requests_per_minute;
  config.tokens_per_minute = flags.tokens_per_minute;
  config.circuit = {flags.circuit_failures, flags.circuit_open};
  ProviderLimits* current = nullptr;
  for (const std::string& text : flags.model_limit) {
    // A field that begins with of= begins a provider, so that it does not matter whether commas
    // were taken as separators of a list before.
    for (absl::string_view piece :
         absl::StrSplit(text, absl::ByAnyChar(",;"), absl::SkipWhitespace())) {
      const std::pair<std::string, std::string> field =
          absl::StrSplit(absl::StripAsciiWhitespace(piece), absl::MaxSplits('=', 1));
      if (field.first == "of") {
        const auto [added, is_new] = config.providers.try_emplace(field.second);
        if (!is_new || field.second.find(":/") == std::string::npos) {
          return Invalid(
              StrCat("`", field.second, "` is no provider, or is given twice; it ", kForm));
        }
        current = &added->second;
        continue;
      }
      if (current == nullptr) return Invalid(StrCat("begins with of=; it ", kForm));
      ASSAY_RETURN_IF_ERROR(SetField(field.first, field.second, current));
    }
  }
  return config;
}

void LimitConfig::ApplyTo(LimitedModelClient::Options* options) const {
  options->requests_per_minute = requests_per_minute;
  options->tokens_per_minute = tokens_per_minute;
  const auto found = providers.find(options->name);
  if (found == providers.end()) return;
  const ProviderLimits& own = found->second;
  if (own.max_in_flight.has_value()) {
    options->max_in_flight = static_cast<size_t>(*own.max_in_flight);
  }
  options->requests_per_minute = own.requests_per_minute.value_or(options->requests_per_minute);
  options->tokens_per_minute = own.tokens_per_minute.value_or(options->tokens_per_minute);
}

}  // namespace assay::judge
