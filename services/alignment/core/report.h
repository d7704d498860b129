// The honest report: what held-out judgements say.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_REPORT_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_REPORT_H_

#include <string>
#include <vector>

#include "assay/alignment/v1/alignment_service.pb.h"
#include "assay/common/v1/value.pb.h"
#include "services/alignment/core/judgement.h"
#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

inline constexpr int kMaxReportedCases = 1'000;
// The values of all reported cases together, so that an alignment fits into a message.
inline constexpr size_t kMaxReportedValueBytes = size_t{256} << 10;

// All vectors have one entry for each case.
struct Measurement {
  const std::vector<LabelledCase>& cases;
  const std::vector<int>& fold_of;
  const std::vector<Judgement>& before;    // The judge as it was.
  const std::vector<Judgement>& held_out;  // Each by the candidate that was made without it.
  const std::vector<Judgement>& seen;      // By the final candidate, which learned from it.
};

// Everything but guidelines, usage, and the warnings that only the job can give. Intervals are 95
// %, by cluster of equal inputs (common/stats/cluster_interval.h), resampled with `seed`. Kappa's
// count is 0 where it is not defined. Thread-safe.
v1::AlignmentReport MakeReport(const Measurement& measurement, const common::v1::ValueType& type,
                               uint64_t seed);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_REPORT_H_
