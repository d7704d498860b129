// What the calls of one judgement came to, and the verdict that says so.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_TALLY_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_TALLY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judge_plan.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Not thread-safe.
class JudgeTally {
 public:
  void Begin(absl::Time now) { started_ = now_ = now; }
  void Count(const ModelResponse& response, absl::Time now);
  // Attempts that a failed call made, where its error says so.
  void CountFailure(const absl::Status& error, absl::Time now);

  // The verdict with its source and the feedback's provenance filled in; what the provenance holds
  // already stays.
  JudgeVerdict Verdict(const JudgePlan& plan, bool repaired, common::v1::Feedback feedback) const;

 private:
  absl::Time started_;
  absl::Time now_;
  std::string answered_by_;
  std::string model_uri_;  // That answered; "" before the first answer.
  int64_t input_tokens_ = 0;
  int64_t output_tokens_ = 0;
  int attempts_ = 0;
  bool cache_hit_ = false;
  std::optional<double> cost_usd_ = 0;  // nullopt as soon as one call's is not known.
};

// The code of the ERROR feedback for a model's error; "" for an error that is the caller's.
// Thread-safe, as all below.
std::string_view ModelErrorCode(const absl::Status& error);

// An ERROR feedback; message and raw answer are cut.
common::v1::Feedback ErrorFeedback(std::string_view code, std::string_view message,
                                   std::string_view raw_answer = "");

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_TALLY_H_
