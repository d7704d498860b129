// The step machine of a judgement: says what is to be done next, and does no I/O itself.
//
// Machines nest: a panel's step is CallAll over its members' machines. One driver (judge_driver.h)
// owns the I/O of them all, so that tests of a machine need neither threads nor models.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGING_H_

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/common/v1/feedback.pb.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "assay/judge/v1/user_services.pb.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// A further feedback of one judgement: a span's, or one under a name of its own.
struct AdditionalFeedback {
  std::string assessment_name;  // The judge's, or one that begins with it and a slash.
  common::v1::Feedback feedback;
  common::v1::Source source;
  std::string span_id;  // "" for the trace.
  std::map<std::string, std::string> metadata;
};

// What a judge came to. The feedback's outcome is set and its provenance is filled: usage and cost
// count all calls of the judgement there, in the additional ones their own.
struct JudgeVerdict {
  common::v1::Feedback feedback;
  common::v1::Source
      source;  // LLM_JUDGE and the model's URI; CODE and the check's or scorer's name.
  std::map<std::string, std::string> metadata;
  std::vector<AdditionalFeedback> additional;
};

class Judging;

// What happened.
struct JudgeStarted {
  absl::Time now;
};
struct ModelAnswered {
  absl::StatusOr<ModelResponse> response;
  absl::Time now;
};
struct ScorerAnswered {
  absl::StatusOr<v1::ScoreResponse> response;
  absl::Time now;
};
struct AllFinished {
  std::vector<absl::StatusOr<JudgeVerdict>> verdicts;  // In the order of CallAll's judgings.
  absl::Time now;
};
using JudgeEvent = std::variant<JudgeStarted, ModelAnswered, ScorerAnswered, AllFinished>;

// What to do next. Each but JudgeFinished is answered with one event: ModelAnswered,
// ScorerAnswered, AllFinished.
struct CallModel {
  ModelRequest request;
};
struct CallScorer {
  v1::Scorer scorer;
  v1::ScoreRequest request;
};
struct CallAll {
  std::vector<std::unique_ptr<Judging>> judgings;  // Run at the same time; none may be null.
};
struct JudgeFinished {
  absl::StatusOr<JudgeVerdict> verdict;
};
using JudgeStep = std::variant<CallModel, CallScorer, CallAll, JudgeFinished>;

// Takes JudgeStarted once, then one event for each step until JudgeFinished. What a judge cannot
// bring to a value is an ERROR feedback (a model that cannot be reached or refuses, an answer that
// cannot be used); errors that end the judgement with themselves are the caller's
// (MODEL_NOT_CONFIGURED, MISSING_JUDGE_INPUT, CANCELLED, ...). Not thread-safe.
class Judging {
 public:
  virtual ~Judging() = default;
  virtual JudgeStep Next(JudgeEvent event) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGING_H_
