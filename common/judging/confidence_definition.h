// The rules of how a confidence is measured.
#ifndef ASSAY_COMMON_JUDGING_CONFIDENCE_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_CONFIDENCE_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judging {

inline constexpr int kDefaultVoteSamples = 5;
inline constexpr int kMinVoteSamples = 2;
inline constexpr int kMaxVoteSamples = 25;

// OK, or INVALID_ARGUMENT about `field`.confidence, reason INVALID_CONFIDENCE. `type` is that of
// the judge's values. Thread-safe, as all here.
absl::Status ValidateConfidence(const registry::v1::JudgeDefinition& definition,
                                const common::v1::ValueType& type, std::string_view field);

// How often VOTE_SHARE asks.
int VoteSamples(const registry::v1::ConfidenceSpec& spec);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_CONFIDENCE_DEFINITION_H_
