#include "services/judge/core/offline/value_scale.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "common/json/json_reader.h"
#include "common/strings/strings.h"

namespace assay::judge::offline {

namespace {

// From the best to the worst; a name that has none of them sounds neutral.
constexpr std::pair<std::string_view, double> kSounds[] = {
    {"excellent", 1.0}, {"outstanding", 1.0}, {"perfect", 1.0},    {"great", 0.9},
    {"very good", 0.9}, {"strong", 0.85},     {"good", 0.75},      {"pass", 0.85},
    {"yes", 0.9},       {"true", 0.9},        {"correct", 0.85},   {"resolved", 0.8},
    {"safe", 0.85},     {"positive", 0.85},   {"helpful", 0.8},    {"satisf", 0.7},
    {"accept", 0.65},   {"adequate", 0.6},    {"fair", 0.5},       {"ok", 0.6},
    {"neutral", 0.5},   {"mixed", 0.45},      {"average", 0.5},    {"partial", 0.4},
    {"needs", 0.35},    {"mediocre", 0.35},   {"weak", 0.25},      {"low", 0.2},
    {"poor", 0.1},      {"bad", 0.1},         {"fail", 0.1},       {"no", 0.1},
    {"false", 0.1},     {"negative", 0.1},    {"wrong", 0.1},      {"terrible", 0.0},
    {"awful", 0.0},     {"harmful", 0.0},     {"toxic", 0.0},      {"high", 0.85},
    {"unsafe", 0.05},   {"incorrect", 0.1},   {"unhelpful", 0.15}, {"unresolved", 0.1},
    {"unaccept", 0.1},  {"unsatisf", 0.15},   {"very poor", 0.0},  {"very bad", 0.0},
    {"not", 0.2},       {"irrelevant", 0.1},  {"relevant", 0.85},  {"rude", 0.05},
    {"polite", 0.85},   {"none", 0.5}};

std::optional<double> BoundOf(const json::Node& schema, std::string_view name) {
  const json::Node* bound = schema.Find(name);
  return bound == nullptr ? std::nullopt : bound->AsDouble();
}

std::string_view TypeOf(const json::Node& schema) {
  const json::Node* type = schema.Find("type");
  return type != nullptr && type->is_string() ? std::string_view(type->text) : std::string_view();
}

std::pair<double, double> BoundsOf(const json::Node& schema) {
  const bool whole = TypeOf(schema) == "integer";
  const std::optional<double> minimum = BoundOf(schema, "minimum");
  const std::optional<double> maximum = BoundOf(schema, "maximum");
  const double width = whole ? 4 : 1;
  const double low = minimum.value_or(std::min(whole ? 1.0 : 0.0, maximum.value_or(width) - width));
  return {low, std::max(low, maximum.value_or(std::max(low + width, width + (whole ? 1 : 0))))};
}

std::string NumberText(double low, double high, double goodness, bool whole) {
  const double value = low + goodness * (high - low);
  if (whole) return StrCat(static_cast<int64_t>(std::llround(value)));
  return StrCat(std::clamp(std::round(value * 1000) / 1000, low, high));
}

// `anyOf` of a nullable type: the part that is not null.
const json::Node& NonNull(const json::Node& schema) {
  const json::Node* options = schema.Find("anyOf");
  if (options == nullptr || options->children.empty()) return schema;
  for (const json::Node& option : options->children) {
    if (TypeOf(option) != "null") return option;
  }
  return schema;
}

}  // namespace

double SoundOf(std::string_view category) {
  std::string lower = absl::AsciiStrToLower(ToAbsl(category));
  std::replace(lower.begin(), lower.end(), '_', ' ');
  std::replace(lower.begin(), lower.end(), '-', ' ');
  const std::string padded = " " + lower;
  double sound = 0.5;
  size_t longest = 0;
  for (const auto& [word, value] : kSounds) {
    if (word.size() > longest && padded.find(StrCat(" ", word)) != std::string::npos) {
      longest = word.size();
      sound = value;
    }
  }
  return sound;
}

ValueScale ValueScale::FromSchema(const json::Node& result_schema, bool ordered) {
  ValueScale scale;
  const json::Node& schema = NonNull(result_schema);
  const json::Node* values = schema.Find("enum");
  if (values == nullptr) {
    scale.schema_ = schema;
    return scale;
  }
  for (const json::Node& value : values->children) {
    if (value.is_string()) scale.categories_.push_back(value.text);
  }
  if (!ordered) {
    std::stable_sort(scale.categories_.begin(), scale.categories_.end(),
                     [](const auto& a, const auto& b) { return SoundOf(a) > SoundOf(b); });
  }
  return scale;
}

ValueScale ValueScale::FromValues(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  double number = 0;
  const bool numbers = std::all_of(values.begin(), values.end(), [&](const auto& value) {
    return absl::SimpleAtod(value, &number);
  });
  const auto rank = [&](const std::string& value) {
    double n = 0;
    return numbers && absl::SimpleAtod(value, &n) ? n : SoundOf(value);
  };
  std::stable_sort(values.begin(), values.end(),
                   [&](const auto& a, const auto& b) { return rank(a) > rank(b); });
  ValueScale scale;
  scale.categories_ = std::move(values);
  return scale;
}

size_t ValueScale::steps() const {
  if (has_categories()) return categories_.size();
  return schema() != nullptr && TypeOf(*schema()) == "boolean" ? 2 : 4;
}

std::optional<double> ValueScale::GoodnessOf(std::string_view value) const {
  for (size_t i = 0; i < categories_.size(); ++i) {
    if (categories_[i] == value) {
      return 1 - (static_cast<double>(i) + 0.5) / static_cast<double>(categories_.size());
    }
  }
  if (has_categories() || schema() == nullptr) return std::nullopt;
  if (value == "true") return 0.75;
  if (value == "false") return 0.25;
  double number = 0;
  if (!absl::SimpleAtod(ToAbsl(value), &number)) return std::nullopt;
  const auto [low, high] = BoundsOf(*schema());
  return high > low ? std::clamp((number - low) / (high - low), 0.0, 1.0) : 0.5;
}

std::string ValueScale::ValueFor(double goodness, std::string_view text) const {
  goodness = std::clamp(goodness, 0.0, 1.0);
  if (has_categories()) {
    const auto count = static_cast<double>(categories_.size());
    const auto index = static_cast<size_t>(std::min((1 - goodness) * count, count - 1));
    return json::JsonString(categories_[index]);
  }
  if (schema() == nullptr) return json::JsonString(text);
  const std::string_view type = TypeOf(*schema());
  if (type == "boolean") return goodness >= 0.5 ? "true" : "false";
  if (type == "integer" || type == "number") {
    const auto [low, high] = BoundsOf(*schema());
    return NumberText(low, high, goodness, type == "integer");
  }
  if (type == "array") return "[]";
  if (type == "object") return "{}";
  return json::JsonString(text);
}

}  // namespace assay::judge::offline
