// The rules of custom scorers as judges.
#ifndef ASSAY_COMMON_JUDGING_SCORER_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_SCORER_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judging {

inline constexpr double kDefaultScorerTimeoutSeconds = 30;
inline constexpr double kMaxScorerTimeoutSeconds = 600;
inline constexpr int kDefaultScorerConcurrency = 32;
inline constexpr int kMaxScorerConcurrency = 1'000;

// OK, or INVALID_ARGUMENT (INVALID_FIELD) about a field below `field`. Whether an address beyond
// loopback may be called is the judge service's to say, which calls it. Thread-safe.
absl::Status ValidateScorerJudge(const registry::v1::ScorerJudge& judge, std::string_view field);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_SCORER_DEFINITION_H_
