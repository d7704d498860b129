// Splits of labelled traces.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_FOLDS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_FOLDS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

// The fold of each case, from 0. Equal inputs are never parted; folds get about the same number of
// cases, and of cases of each value. As many folds as asked for, but no more than clusters. The
// same on every run with the same seed. Thread-safe, as all here.
std::vector<int> AssignFolds(const std::vector<LabelledCase>& cases, int folds, uint64_t seed);

// The cases outside a fold; all of them for fold -1.
std::vector<size_t> CasesOutside(const std::vector<int>& fold_of, int fold);
std::vector<size_t> CasesOf(const std::vector<int>& fold_of, int fold);

// At most `limit` of `cases`, chosen by the seed, in their order.
std::vector<size_t> Sample(std::vector<size_t> cases, size_t limit, uint64_t seed);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_FOLDS_H_
