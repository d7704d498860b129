#include "services/alignment/core/folds.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "common/stats/random.h"

namespace assay::alignment {
namespace {

constexpr uint64_t kFoldStream = 1;
constexpr uint64_t kSampleStream = 2;

}  // namespace

std::vector<int> AssignFolds(const std::vector<LabelledCase>& cases, int folds, uint64_t seed) {
  std::map<int, std::vector<size_t>> members;
  for (size_t i = 0; i < cases.size(); ++i) members[cases[i].cluster].push_back(i);
  std::vector<const std::vector<size_t>*> clusters;
  for (const auto& [cluster, items] : members) clusters.push_back(&items);
  stats::Random(seed, kFoldStream).Shuffle(clusters);
  // Large clusters first, while there is room to balance them; then value by value.
  std::stable_sort(clusters.begin(), clusters.end(), [&](const auto* a, const auto* b) {
    if (a->size() != b->size()) return a->size() > b->size();
    return cases[a->front()].key < cases[b->front()].key;
  });
  const int count = std::min(folds, static_cast<int>(clusters.size()));
  std::vector<int> fold_of(cases.size(), 0);
  std::vector<size_t> sizes(static_cast<size_t>(count), 0);
  std::vector<std::map<std::string, size_t>> values(static_cast<size_t>(count));
  for (const std::vector<size_t>* cluster : clusters) {
    const std::string& key = cases[cluster->front()].key;
    int best = 0;
    for (int fold = 1; fold < count; ++fold) {
      const auto load = [&](int f) {
        const size_t at = static_cast<size_t>(f);
        // A fold must not run ahead of the others, nor run out of a value.
        return std::make_tuple(sizes[at] / 4, values[at][key], sizes[at]);
      };
      if (load(fold) < load(best)) best = fold;
    }
    for (size_t item : *cluster) {
      fold_of[item] = best;
      ++sizes[static_cast<size_t>(best)];
      ++values[static_cast<size_t>(best)][cases[item].key];
    }
  }
  return fold_of;
}

std::vector<size_t> CasesOutside(const std::vector<int>& fold_of, int fold) {
  std::vector<size_t> cases;
  for (size_t i = 0; i < fold_of.size(); ++i) {
    if (fold_of[i] != fold) cases.push_back(i);
  }
  return cases;
}

std::vector<size_t> CasesOf(const std::vector<int>& fold_of, int fold) {
  std::vector<size_t> cases;
  for (size_t i = 0; i < fold_of.size(); ++i) {
    if (fold_of[i] == fold) cases.push_back(i);
  }
  return cases;
}

std::vector<size_t> Sample(std::vector<size_t> cases, size_t limit, uint64_t seed) {
  if (cases.size() <= limit) return cases;
  stats::Random(seed, kSampleStream).Shuffle(cases);
  cases.resize(limit);
  std::sort(cases.begin(), cases.end());
  return cases;
}

}  // namespace assay::alignment
