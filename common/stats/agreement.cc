#include "common/stats/agreement.h"

#include <cmath>

namespace assay::stats {

double DisagreementWeight(const RatedPair& pair, int categories, KappaWeights weights) {
  if (pair.first == kNoCategory || pair.second == kNoCategory) return 1;
  if (pair.first == pair.second) return 0;
  if (weights == KappaWeights::kNone || categories < 2) return 1;
  const double distance = std::abs(pair.first - pair.second) / static_cast<double>(categories - 1);
  return weights == KappaWeights::kLinear ? distance : distance * distance;
}

double PercentAgreement(absl::Span<const RatedPair> pairs) {
  if (pairs.empty()) return 0;
  size_t same = 0;
  for (const RatedPair& pair : pairs) {
    if (pair.first == pair.second && pair.first != kNoCategory) ++same;
  }
  return static_cast<double>(same) / static_cast<double>(pairs.size());
}

Disagreement WeightedDisagreement(absl::Span<const RatedPair> pairs, int categories,
                                  KappaWeights weights) {
  Disagreement result;
  if (pairs.empty()) return result;
  const double n = static_cast<double>(pairs.size());
  // Index 0 is kNoCategory.
  std::vector<double> first(static_cast<size_t>(categories) + 1, 0.0);
  std::vector<double> second(first.size(), 0.0);
  for (const RatedPair& pair : pairs) {
    result.observed += DisagreementWeight(pair, categories, weights) / n;
    first[static_cast<size_t>(pair.first + 1)] += 1 / n;
    second[static_cast<size_t>(pair.second + 1)] += 1 / n;
  }
  for (int i = kNoCategory; i < categories; ++i) {
    for (int j = kNoCategory; j < categories; ++j) {
      result.expected += first[static_cast<size_t>(i + 1)] * second[static_cast<size_t>(j + 1)] *
                         DisagreementWeight({i, j}, categories, weights);
    }
  }
  return result;
}

std::optional<double> CohenKappa(absl::Span<const RatedPair> pairs, int categories,
                                 KappaWeights weights) {
  const Disagreement disagreement = WeightedDisagreement(pairs, categories, weights);
  if (disagreement.expected <= 1e-12) return std::nullopt;
  return 1 - disagreement.observed / disagreement.expected;
}

std::optional<double> PairwiseAgreement(absl::Span<const int> ratings) {
  if (ratings.size() < 2) return std::nullopt;
  size_t equal = 0;
  for (size_t i = 0; i < ratings.size(); ++i) {
    for (size_t j = i + 1; j < ratings.size(); ++j) equal += ratings[i] == ratings[j] ? 1 : 0;
  }
  return static_cast<double>(2 * equal) /
         static_cast<double>(ratings.size() * (ratings.size() - 1));
}

}  // namespace assay::stats
