// What a user's scorer or application answered, held to the contract.
#ifndef ASSAY_SERVICES_JUDGE_CORE_SCORER_ANSWER_H_
#define ASSAY_SERVICES_JUDGE_CORE_SCORER_ANSWER_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "assay/judge/v1/user_services.pb.h"

namespace assay::judge {

inline constexpr int kMaxScorerFeedbacks = 100;
inline constexpr size_t kMaxPredictionBytes = 1 << 20;

// The feedbacks as results: values as JSON text, names and sources filled in, the outcome derived.
// `taken` are the names of the evaluation's other assessments. INVALID_ARGUMENT, reason
// SCORER_INVALID_RESPONSE, says which feedback breaks which rule. Thread-safe, as all here.
absl::StatusOr<std::vector<v1::EvaluationResult>> CheckedScorerAnswer(
    v1::ScoreResponse response, std::string_view scorer, const std::set<std::string>& taken);

// The outputs as JSON text. INVALID_ARGUMENT, reason PREDICTOR_INVALID_RESPONSE, if there are none,
// they are no JSON or exceed kMaxPredictionBytes.
absl::StatusOr<std::string> CheckedPrediction(const v1::PredictResponse& response);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_SCORER_ANSWER_H_
