// What several verdicts cost together.
#ifndef ASSAY_SERVICES_JUDGE_CORE_PROVENANCE_SUM_H_
#define ASSAY_SERVICES_JUDGE_CORE_PROVENANCE_SUM_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judging.h"

namespace assay::judge {

// Whether the verdicts were asked for at the same time (the slowest one's latency is the whole's)
// or one after the other (latencies add up).
enum class AskedHow { kAtTheSameTime, kInTurn };

// The provenance of a verdict made out of `verdicts`: tokens, calls, attempts and costs added up
// (no cost if that of a call with tokens is not known); `cache_hit` if every model's answer was
// cached; `repaired` if one was; model, answering model and parameters where all have the same; the
// hash of the prompts, of several the hash of their hashes; every retrieved trace once. Code
// adds its latency. Verdicts without provenance and errors count for nothing. Judge revision, call trace and raw answer
// stay empty. Thread-safe, as all here.
common::v1::Provenance SumProvenance(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts,
                                     AskedHow asked);
common::v1::Provenance SumProvenance(const std::vector<const common::v1::Provenance*>& parts,
                                     AskedHow asked);

// A verdict as a part of another one: value, error, reasons (cut at 4,096 characters), confidence,
// and the model that was asked. An error that is no verdict gives a part with that error.
common::v1::FeedbackPart PartOf(std::string_view name, const absl::StatusOr<JudgeVerdict>& verdict);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_PROVENANCE_SUM_H_
