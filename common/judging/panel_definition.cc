#include "common/judging/panel_definition.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/json/utf8.h"
#include "common/judging/value_type.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using common::v1::ValueType;
using registry::v1::PanelJudge;
using registry::v1::PanelMember;

constexpr std::string_view kReason = "INVALID_PANEL";
constexpr size_t kMaxLabelChars = 250;

bool IsNumber(const ValueType& type) { return type.has_integer_type() || type.has_number_type(); }

bool IsYesNo(const ValueType& type) {
  const auto& categories = type.category_type().categories();
  return categories.size() == 2 && std::count(categories.begin(), categories.end(), "yes") == 1 &&
         std::count(categories.begin(), categories.end(), "no") == 1;
}

// Null is a value for a majority only.
ValueType WithoutNull(ValueType type) {
  type.set_nullable(false);
  return type;
}

// Why a value of `type` cannot be taken, with `first` the first member's known type.
std::optional<std::string> Mismatch(PanelJudge::Aggregation aggregation, const ValueType& type,
                                    const ValueType& first) {
  switch (aggregation) {
    case PanelJudge::AGGREGATION_MAJORITY:
      if (SameValueType(type, first)) return std::nullopt;
      return "a majority needs members of one type";
    case PanelJudge::AGGREGATION_MEAN:
      if (type.has_bool_type() || IsNumber(type)) return std::nullopt;
      return "a mean needs bools or numbers";
    case PanelJudge::AGGREGATION_MIN:
    case PanelJudge::AGGREGATION_MAX:
      if (IsNumber(type) && IsNumber(first)) return std::nullopt;
      if (type.category_type().ordered() && SameValueType(WithoutNull(type), WithoutNull(first))) {
        return std::nullopt;
      }
      return "the smallest and the largest value need numbers, or one ordered category";
    case PanelJudge::AGGREGATION_ALL:
    case PanelJudge::AGGREGATION_ANY:
      if (type.has_bool_type() || IsYesNo(type)) return std::nullopt;
      return "all and any need bools, or the categories `yes` and `no`";
    default:
      return "there is no such aggregation";
  }
}

absl::Status ValidateMember(const PanelMember& member, const std::string& field,
                            const DefinitionRules& rules) {
  if (json::CountChars(member.label()) > kMaxLabelChars || !json::IsValidUtf8(member.label())) {
    return InvalidField(StrCat(field, ".label"), "must have at most 250 characters");
  }
  if (member.has_weight() && !(std::isfinite(member.weight()) && member.weight() > 0)) {
    return InvalidField(StrCat(field, ".weight"), "must be a finite number above 0");
  }
  if (!member.has_judge()) return InvalidField(StrCat(field, ".judge"), "must be given");
  return rules.validate(member.judge(), StrCat(field, ".judge"));
}

std::vector<ValueType> KnownTypes(const PanelJudge& panel, const DefinitionRules& rules) {
  std::vector<ValueType> types;
  for (const PanelMember& member : panel.members()) {
    ValueType type = rules.value_type(member.judge());
    if (type.kind_case() != ValueType::KIND_NOT_SET) types.push_back(std::move(type));
  }
  return types;
}

std::pair<std::optional<double>, std::optional<double>> Bounds(const ValueType& type) {
  if (type.has_bool_type()) return {0.0, 1.0};
  const auto bounds = [](const auto& numbers) {
    std::pair<std::optional<double>, std::optional<double>> both;
    if (numbers.has_minimum()) both.first = static_cast<double>(numbers.minimum());
    if (numbers.has_maximum()) both.second = static_cast<double>(numbers.maximum());
    return both;
  };
  return type.has_integer_type() ? bounds(type.integer_type()) : bounds(type.number_type());
}

ValueType NumberWithin(const std::vector<ValueType>& types, bool all_known) {
  ValueType number;
  common::v1::NumberType& result = *number.mutable_number_type();
  bool low = all_known;
  bool high = all_known;
  for (const ValueType& type : types) {
    const auto [minimum, maximum] = Bounds(type);
    low = low && minimum.has_value();
    high = high && maximum.has_value();
    if (low) {
      result.set_minimum(result.has_minimum() ? std::min(result.minimum(), *minimum) : *minimum);
    }
    if (high) {
      result.set_maximum(result.has_maximum() ? std::max(result.maximum(), *maximum) : *maximum);
    }
  }
  if (!low) result.clear_minimum();
  if (!high) result.clear_maximum();
  return number;
}

}  // namespace

absl::Status ValidatePanelJudge(const PanelJudge& panel, std::string_view field,
                                const DefinitionRules& rules) {
  const std::string members = StrCat(field, ".members");
  const int count = panel.members_size();
  if (count < kMinPanelMembers || count > kMaxPanelMembers) {
    return InvalidField(members, StrCat("has ", count, " members; 2 to 25 are allowed"));
  }
  if (panel.aggregation() == PanelJudge::AGGREGATION_UNSPECIFIED ||
      !PanelJudge::Aggregation_IsValid(panel.aggregation())) {
    return InvalidField(StrCat(field, ".aggregation"),
                        "must be MAJORITY, MEAN, MIN, MAX, ALL or ANY");
  }
  if (panel.quorum() < 0 || panel.quorum() > count) {
    return InvalidField(StrCat(field, ".quorum"),
                        StrCat("must be from 1 to ", count, "; 0 means all members"));
  }
  std::optional<ValueType> first;
  for (int i = 0; i < count; ++i) {
    const std::string path = StrCat(members, "[", i, "]");
    ASSAY_RETURN_IF_ERROR(ValidateMember(panel.members(i), path, rules));
    const ValueType type = rules.value_type(panel.members(i).judge());
    if (type.kind_case() == ValueType::KIND_NOT_SET) continue;
    if (!first.has_value()) first = type;
    if (const auto why = Mismatch(panel.aggregation(), type, *first)) {
      return InvalidField(
          path, StrCat("gives ", json::PreviewOf(DescribeValueType(type), 500), "; ", *why),
          kReason);
    }
  }
  return absl::OkStatus();
}

ValueType PanelValueType(const PanelJudge& panel, const DefinitionRules& rules) {
  ValueType type;
  const std::vector<ValueType> types = KnownTypes(panel, rules);
  const bool all_known = types.size() == static_cast<size_t>(panel.members_size());
  switch (panel.aggregation()) {
    case PanelJudge::AGGREGATION_ALL:
    case PanelJudge::AGGREGATION_ANY:
      type.mutable_bool_type();
      return type;
    case PanelJudge::AGGREGATION_MEAN:
      return NumberWithin(types, all_known);
    case PanelJudge::AGGREGATION_MIN:
    case PanelJudge::AGGREGATION_MAX: {
      if (types.empty() || !IsNumber(types.front())) break;
      const bool same = std::all_of(types.begin(), types.end(), [&](const ValueType& other) {
        return SameValueType(WithoutNull(other), WithoutNull(types.front()));
      });
      if (!same || !all_known) return NumberWithin(types, all_known);
      break;
    }
    default:
      break;
  }
  if (types.empty()) return type;
  return panel.aggregation() == PanelJudge::AGGREGATION_MAJORITY ? types.front()
                                                                 : WithoutNull(types.front());
}

}  // namespace assay::judging
