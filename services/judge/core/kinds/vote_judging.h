// One judge asked several times: the most frequent value, with its share as the confidence.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_VOTE_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_VOTE_JUDGING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// Whether the votes of this judge are to be counted: its confidence is VOTE_SHARE, and it is no
// sample itself. Thread-safe, as all here.
bool CountsVotes(const JudgingSetup& setup);

// As JudgingMaker, for setups of which CountsVotes is true. The verdict is that of the first sample
// with the most frequent value (of equally frequent ones the one that came first in the order of
// the samples); its confidence is the share among all samples asked, and its parts are the samples.
// If no sample comes to a value, it is the first one's ERROR.
absl::StatusOr<std::unique_ptr<Judging>> MakeVoteJudging(const JudgingSetup& setup,
                                                         JudgingMaker make_judging);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_VOTE_JUDGING_H_
