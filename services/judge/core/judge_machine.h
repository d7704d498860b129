// The steps of one judgement, without any I/O: ask, read the answer, ask once more if it cannot be
// used, conclude.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_

#include <map>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/prompt.h"
#include "services/judge/core/verdict.h"

namespace assay::judge {

struct JudgePlan {
  RenderedPrompt prompt;
  std::string model_uri;
  std::map<std::string, double> parameters;
  std::string judge_revision;
  std::string idempotency_key;
};

// What happened.
struct JudgeStarted {
  absl::Time now;
};
struct ModelAnswered {
  absl::StatusOr<ModelResponse> response;
  absl::Time now;
};
using JudgeEvent = std::variant<JudgeStarted, ModelAnswered>;

// What to do next: ask the model and report with ModelAnswered, or stop.
struct CallModel {
  ModelRequest request;
};
struct JudgeFinished {
  absl::StatusOr<common::v1::Feedback> feedback;
};
using JudgeStep = std::variant<CallModel, JudgeFinished>;

// Takes JudgeStarted once, then one ModelAnswered for each CallModel until JudgeFinished. A model
// that cannot be reached or refuses, or whose answer cannot be used, gives an ERROR feedback; other
// errors end the judgement with themselves (MODEL_NOT_CONFIGURED, CANCELLED, ...). Not thread-safe.
class JudgeMachine {
 public:
  explicit JudgeMachine(JudgePlan plan) : plan_(std::move(plan)) {}

  JudgeStep Next(JudgeEvent event);

 private:
  JudgeStep OnAnswer(const ModelResponse& response);
  JudgeStep OnError(const absl::Status& error);
  JudgeStep AskAgain(const std::string& answer, AnswerViolation violation);
  JudgeFinished Conclude(Verdict verdict);
  JudgeFinished Fail(std::string_view code, std::string_view message);
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
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_MACHINE_H_
