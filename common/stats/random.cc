#include "common/stats/random.h"

#include <limits>

namespace assay::stats {
namespace {

uint64_t Finalize(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

Random::Random(uint64_t seed, uint64_t stream) : engine_(Finalize(Finalize(seed) ^ stream)) {}

uint64_t Random::Below(uint64_t bound) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const uint64_t limit =
      kMax - (kMax % bound + 1) % bound;  // The last number of a complete interval.
  uint64_t drawn = Next();
  while (drawn > limit) drawn = Next();
  return drawn % bound;
}

}  // namespace assay::stats
