// Levenshtein's distance.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CHECKS_EDIT_DISTANCE_H_
#define ASSAY_SERVICES_JUDGE_CORE_CHECKS_EDIT_DISTANCE_H_

#include <cstddef>
#include <string>

namespace assay::judge {

// The characters that each of two compared texts may have: above it, a comparison takes too long.
inline constexpr size_t kMaxEditDistanceChars = 50'000;

// How many insertions, deletions and substitutions of code points make `a` into `b`. Takes time in
// proportion to the product of their lengths divided by 64 (Myers' bit vectors), common ends
// aside. Thread-safe, as all here.
size_t EditDistance(const std::u32string& a, const std::u32string& b);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CHECKS_EDIT_DISTANCE_H_
