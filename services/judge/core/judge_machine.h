// The steps of one judgement, without any I/O: ask, read the answer, ask once more if it cannot be
// used, conclude.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/prompt.h"
#include "services/judge/core/verdict.h"

namespace assay::judge {

// One question to a model, and what its verdict is to say of where it came from.
struct JudgePlan {
  RenderedPrompt prompt;
  std::string model_uri;
  std::map<std::string, double> parameters;
  std::vector<std::string> fallback_models;
  std::string judge_revision;
  std::string idempotency_key;
  ModelAccount account;
  bool bypass_cache = false;
  int sample = 0;
};

// All but the prompt. FAILED_PRECONDITION MODEL_NOT_CONFIGURED without a model.
absl::StatusOr<JudgePlan> PlanOf(const JudgingSetup& setup);

// Asks once, and once more if the answer cannot be used.
class JudgeMachine final : public Judging {
 public:
  explicit JudgeMachine(JudgePlan plan) : plan_(std::move(plan)) {}

  JudgeStep Next(JudgeEvent event) override;

 private:
  JudgeStep OnAnswer(const ModelResponse& response);
  JudgeStep OnError(const absl::Status& error);
  JudgeStep AskAgain(const std::string& answer, AnswerViolation violation);
  JudgeFinished Conclude(Verdict verdict);
  JudgeFinished Fail(std::string_view code, std::string_view message, std::string_view answer = "");
  JudgeFinished Finish(common::v1::Feedback feedback) const;
  void FillProvenance(common::v1::Feedback* feedback) const;
  ModelRequest Request() const;

  JudgePlan plan_;
  bool repaired_ = false;
  absl::Time started_;
  absl::Time now_;
  std::string answered_by_;
  int64_t input_tokens_ = 0;
  int64_t output_tokens_ = 0;
  int attempts_ = 0;
  bool cache_hit_ = false;
  std::string model_uri_;               // That answered; the plan's before the first answer.
  std::optional<double> cost_usd_ = 0;  // nullopt as soon as one call's is not known.
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_
