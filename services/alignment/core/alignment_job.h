// The work of one alignment, from the labelled set to the report: plain sequential code on a thread
// of its own.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENT_JOB_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENT_JOB_H_

#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "services/alignment/core/alignment_store.h"
#include "services/alignment/core/labelled_case.h"
#include "services/alignment/core/paid_calls.h"
#include "services/alignment/core/progress.h"

namespace assay::alignment {

// When more than this share of a pass finds the model away, its figures would say nothing: the
// alignment fails.
inline constexpr double kMaxModelAwayShare = 0.25;

// 1. The judge as it is judges every case. 2. For each fold a candidate is made from the other
// folds' labels, and one from all. 3. Each fold's candidate judges its fold, unseen; the last one
// judges what it has seen. 4. The report compares.
//
// `alignment` has its options filled in. Deterministic but for the answers, which `calls` records:
// run again, it asks only what is not recorded. Blocks; CANCELLED soon after the token of `calls`
// is cancelled. Other errors say why the alignment cannot go on: those of the ports,
// FAILED_PRECONDITION with the reason of most judgements if none has a value, or with the model's
// if it was away. Thread-safe.
absl::StatusOr<AlignmentResult> RunAlignment(const v1::Alignment& alignment,
                                             const AlignmentInput& input, PaidCalls& calls,
                                             ProgressListener& listener);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENT_JOB_H_
