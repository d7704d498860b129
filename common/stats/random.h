// Pseudo-random numbers that are the same on every platform: for splits and resampling, not for
// secrets.
#ifndef ASSAY_COMMON_STATS_RANDOM_H_
#define ASSAY_COMMON_STATS_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace assay::stats {

// std::mt19937_64, whose sequence the C++ standard fixes, with mappings of our own: the
// distributions of the standard library differ from one implementation to the next. Not
// thread-safe.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // Another sequence for each `stream` of one seed (SplitMix64's finalizer over both).
  Random(uint64_t seed, uint64_t stream);

  uint64_t Next() { return engine_(); }

  // Uniform in [0, bound), without bias: numbers of the last, incomplete interval are drawn again.
  // `bound` is above 0.
  uint64_t Below(uint64_t bound);

  // Uniform in [0, 1), a multiple of 2^-53.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  // Fisher and Yates's shuffle.
  template <class T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace assay::stats

#endif  // ASSAY_COMMON_STATS_RANDOM_H_
