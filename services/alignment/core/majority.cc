#include "services/alignment/core/majority.h"

#include <algorithm>
#include <map>

namespace assay::alignment {
namespace {

std::optional<std::string> OrderedMedian(const std::vector<Label>& labels,
                                         const common::v1::CategoryType& type) {
  std::vector<int> places;
  for (const Label& label : labels) {
    const auto found = std::find(type.categories().begin(), type.categories().end(), label.key);
    if (found == type.categories().end()) return std::nullopt;
    places.push_back(static_cast<int>(found - type.categories().begin()));
  }
  std::sort(places.begin(), places.end());
  // The best category comes first, so the upper median is the worse.
  return type.categories(places[places.size() / 2]);
}

}  // namespace

std::optional<std::string> MajorityKey(const std::vector<Label>& labels,
                                       const common::v1::ValueType& type) {
  std::map<std::string, int> counts;
  for (const Label& label : labels) ++counts[label.key];
  int most = 0;
  int leaders = 0;
  std::string leader;
  for (const auto& [key, count] : counts) {
    if (count > most) {
      most = count;
      leaders = 1;
      leader = key;
    } else if (count == most) {
      ++leaders;
    }
  }
  if (leaders == 1) return leader;
  if (type.has_category_type() && type.category_type().ordered()) {
    return OrderedMedian(labels, type.category_type());
  }
  return std::nullopt;
}

}  // namespace assay::alignment
