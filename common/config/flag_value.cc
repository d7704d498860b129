#include "common/config/flag_value.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/strings/strings.h"

namespace assay::config {
namespace {

std::string BoundsText(const FlagOptions& options, std::string_view unit) {
  if (options.min && options.max) {
    return StrCat(" from ", *options.min, " to ", *options.max, unit);
  }
  if (options.min) return StrCat(" of at least ", *options.min, unit);
  if (options.max) return StrCat(" of at most ", *options.max, unit);
  return "";
}

bool InBounds(double value, const FlagOptions& options) {
  return (!options.min || value >= *options.min) && (!options.max || value <= *options.max);
}

template <class Integer>
std::string StoreInteger(std::string_view text, const FlagOptions& options, Integer* target) {
  Integer value = 0;
  if (!absl::SimpleAtoi(ToAbsl(text), &value) || !InBounds(static_cast<double>(value), options)) {
    return StrCat("must be a whole number", BoundsText(options, ""));
  }
  *target = value;
  return "";
}

std::string Store(std::string_view text, const FlagOptions& options, int* target) {
  return StoreInteger(text, options, target);
}
std::string Store(std::string_view text, const FlagOptions& options, int64_t* target) {
  return StoreInteger(text, options, target);
}

std::string Store(std::string_view text, const FlagOptions& options, double* target) {
  double value = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &value) || !std::isfinite(value) ||
      !InBounds(value, options)) {
    return StrCat("must be a number", BoundsText(options, ""));
  }
  *target = value;
  return "";
}

std::string Store(std::string_view text, const FlagOptions&, bool* target) {
  const std::string word = absl::AsciiStrToLower(ToAbsl(text));
  if (word == "true" || word == "1" || word == "yes") {
    *target = true;
  } else if (word == "false" || word == "0" || word == "no") {
    *target = false;
  } else {
    return "must be true or false";
  }
  return "";
}

std::string Store(std::string_view text, const FlagOptions& options, absl::Duration* target) {
  absl::Duration value;
  if (!absl::ParseDuration(ToAbsl(text), &value) ||
      !InBounds(absl::ToDoubleSeconds(value), options)) {
    return StrCat("must be a duration like 30s, 1h30m or 250ms", BoundsText(options, " seconds"));
  }
  *target = value;
  return "";
}

std::string Store(std::string_view text, const FlagOptions& options, std::string* target) {
  if (!options.allowed.empty() &&
      std::find(options.allowed.begin(), options.allowed.end(), text) == options.allowed.end()) {
    return StrCat("must be one of ", absl::StrJoin(options.allowed, ", "));
  }
  *target = text;
  return "";
}

std::string Store(std::string_view text, const FlagOptions&, std::vector<std::string>* target) {
  std::vector<std::string> items;
  for (absl::string_view item : absl::StrSplit(ToAbsl(text), ',')) {
    item = absl::StripAsciiWhitespace(item);
    if (!item.empty()) items.emplace_back(item);
  }
  *target = std::move(items);
  return "";
}

std::string Text(const std::string& value) { return value; }
std::string Text(int value) { return StrCat(value); }
std::string Text(int64_t value) { return StrCat(value); }
std::string Text(double value) { return StrCat(value); }
std::string Text(bool value) { return value ? "true" : "false"; }
std::string Text(absl::Duration value) { return absl::FormatDuration(value); }
std::string Text(const std::vector<std::string>& value) { return absl::StrJoin(value, ","); }

}  // namespace

std::string StoreValue(std::string_view text, const FlagOptions& options, FlagSet::Target target) {
  return std::visit([&](auto* typed) { return Store(text, options, typed); }, target);
}

std::string ValueText(const FlagSet::Target& target) {
  return std::visit([](const auto* typed) { return Text(*typed); }, target);
}

std::string_view TypeName(const FlagSet::Target& target) {
  constexpr std::string_view kNames[] = {"text", "integer",  "integer", "number",
                                         "bool", "duration", "list"};
  return kNames[target.index()];
}

}  // namespace assay::config
