// The rules of comparisons of two answers.
#ifndef ASSAY_COMMON_JUDGING_PAIRWISE_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_PAIRWISE_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judging {

// OK, or INVALID_ARGUMENT about a field below `field` (the path of the judge). Thread-safe, as all
// here.
absl::Status ValidatePairwiseJudge(const registry::v1::PairwiseJudge& judge,
                                   std::string_view field);

// The categories `first`, `second`, `tie`.
common::v1::ValueType PairwiseValueType();

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_PAIRWISE_DEFINITION_H_
