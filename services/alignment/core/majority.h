// How several labels of one trace become one.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_MAJORITY_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_MAJORITY_H_

#include <optional>
#include <string>
#include <vector>

#include "assay/common/v1/value.pb.h"
#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

// The value that most labels carry. A tie gives nullopt, except between categories of an ordered
// type: there the median of all labels counts, of two middle ones the worse. `labels` is not empty
// and holds values of `type`. Thread-safe.
std::optional<std::string> MajorityKey(const std::vector<Label>& labels,
                                       const common::v1::ValueType& type);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_MAJORITY_H_
