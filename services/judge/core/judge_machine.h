// The steps of one judgement, without any I/O: ask, read the answer, ask once more if it cannot be
// used, conclude.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judge_plan.h"
#include "services/judge/core/judge_tally.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/verdict.h"

namespace assay::judge {

// Asks once, and once more if the answer cannot be used.
class JudgeMachine final : public Judging {
 public:
  explicit JudgeMachine(JudgePlan plan);

  JudgeStep Next(JudgeEvent event) override;

 private:
  JudgeStep OnAnswer(const ModelResponse& response);
  JudgeStep OnError(const absl::Status& error) const;
  JudgeStep AskAgain(const std::string& answer, AnswerViolation violation);
  JudgeFinished Finish(common::v1::Feedback feedback) const;

  JudgePlan plan_;
  JudgeTally tally_;
  bool repaired_ = false;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_
