#include "services/judge/core/kinds/panel_aggregation.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "common/json/safe_json.h"
#include "common/judging/value_type.h"
#include "common/strings/number_text.h"

namespace assay::judge {

namespace {

using common::v1::ValueType;
using registry::v1::PanelJudge;

constexpr double kSameWeight = 1e-12;  // Sums of weights closer than that, relatively, are equal.

std::optional<double> Number(const std::string& value, bool bools) {
  const absl::StatusOr<json::Node> node = json::ParseJson(value);
  if (!node.ok()) return std::nullopt;
  if (node->is_bool() && bools) return node->boolean ? 1.0 : 0.0;
  return node->is_number() ? node->AsDouble() : std::nullopt;
}

std::optional<bool> Truth(const std::string& value) {
  if (value == "true" || value == "\"yes\"") return true;
  if (value == "false" || value == "\"no\"") return false;
  return std::nullopt;
}

// The place in an ordered category, the best last.
std::optional<double> Rank(const ValueType& type, const std::string& value) {
  const auto& categories = type.category_type().categories();
  const auto found = std::find(categories.begin(), categories.end(), judging::ValueKey(value));
  if (found == categories.end()) return std::nullopt;
  return static_cast<double>(categories.end() - found);
}

// What a smallest or largest value is compared by.
std::optional<double> Measure(const ValueType& type, const std::string& value) {
  return type.has_category_type() ? Rank(type, value) : Number(value, /*bools=*/false);
}

struct Candidate {
  std::string key;
  std::string value;
  double weight = 0;
  int votes = 0;
};

std::optional<PanelValue> Majority(absl::Span<const MemberValue> members) {
  std::vector<Candidate> candidates;  // In the order of the first member that gave each.
  double all = 0;
  for (const MemberValue& member : members) {
    all += member.weight;
    if (!member.value.has_value()) continue;
    const std::string key = judging::ValueKey(*member.value);
    auto found = std::find_if(candidates.begin(), candidates.end(),
                              [&](const Candidate& known) { return known.key == key; });
    if (found == candidates.end()) {
      found = candidates.insert(candidates.end(), {key, *member.value, 0, 0});
    }
    found->weight += member.weight;
    ++found->votes;
  }
  if (candidates.empty()) return std::nullopt;
  const Candidate* best = &candidates.front();
  for (const Candidate& candidate : candidates) {
    if (candidate.weight > best->weight * (1 + kSameWeight)) best = &candidate;
  }
  return PanelValue{best->value, best->votes, std::clamp(best->weight / all, 0.0, 1.0)};
}

std::optional<PanelValue> Mean(absl::Span<const MemberValue> members) {
  double sum = 0;
  double weights = 0;
  for (const MemberValue& member : members) {
    if (!member.value.has_value()) continue;
    sum += member.weight * Number(*member.value, /*bools=*/true).value_or(0);
    weights += member.weight;
  }
  if (weights == 0) return std::nullopt;
  return PanelValue{NumberText(sum / weights), 0, std::nullopt};
}

std::optional<PanelValue> Extreme(const ValueType& type, absl::Span<const MemberValue> members,
                                  bool largest) {
  const MemberValue* best = nullptr;
  double best_measure = 0;
  for (const MemberValue& member : members) {
    if (!member.value.has_value()) continue;
    const double measure = Measure(type, *member.value).value_or(0);
    if (best == nullptr || (largest ? measure > best_measure : measure < best_measure)) {
      best = &member;
      best_measure = measure;
    }
  }
  if (best == nullptr) return std::nullopt;
  return PanelValue{*best->value, 0, std::nullopt};
}

std::optional<PanelValue> Truths(absl::Span<const MemberValue> members, bool all) {
  int values = 0;
  int yes = 0;
  for (const MemberValue& member : members) {
    if (!member.value.has_value()) continue;
    ++values;
    if (Truth(*member.value).value_or(false)) ++yes;
  }
  if (values == 0) return std::nullopt;
  return PanelValue{(all ? yes == values : yes > 0) ? "true" : "false", 0, std::nullopt};
}

}  // namespace

bool IsUsable(PanelJudge::Aggregation aggregation, const ValueType& type,
              const std::string& value) {
  switch (aggregation) {
    case PanelJudge::AGGREGATION_MAJORITY:
      return type.kind_case() == ValueType::KIND_NOT_SET ||
             judging::ValidateValue(type, value, "value").ok();
    case PanelJudge::AGGREGATION_MEAN:
      return Number(value, /*bools=*/true).has_value();
    case PanelJudge::AGGREGATION_MIN:
    case PanelJudge::AGGREGATION_MAX:
      return Measure(type, value).has_value();
    case PanelJudge::AGGREGATION_ALL:
    case PanelJudge::AGGREGATION_ANY:
      return Truth(value).has_value();
    default:
      return false;
  }
}

std::optional<PanelValue> Aggregate(PanelJudge::Aggregation aggregation, const ValueType& type,
                                    absl::Span<const MemberValue> members) {
  switch (aggregation) {
    case PanelJudge::AGGREGATION_MAJORITY:
      return Majority(members);
    case PanelJudge::AGGREGATION_MEAN:
      return Mean(members);
    case PanelJudge::AGGREGATION_MIN:
    case PanelJudge::AGGREGATION_MAX:
      return Extreme(type, members, aggregation == PanelJudge::AGGREGATION_MAX);
    case PanelJudge::AGGREGATION_ALL:
    case PanelJudge::AGGREGATION_ANY:
      return Truths(members, aggregation == PanelJudge::AGGREGATION_ALL);
    default:
      return std::nullopt;
  }
}

}  // namespace assay::judge
