// One question to a model, and what its verdict is to say of where it came from.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_PLAN_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_PLAN_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/common/v1/feedback.pb.h"
#include "services/judge/core/judging_setup.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/prompt.h"

namespace assay::judge {

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
  // Of each answer (answer_confidence.h); the machine changes the prompt accordingly.
  common::v1::ConfidenceMethod confidence = common::v1::CONFIDENCE_METHOD_UNSPECIFIED;

  // The question with the prompt's messages and schema. `key_suffix` is appended to the idempotency
  // key, if there is one.
  ModelRequest Request(std::string_view key_suffix = "") const;
};

// All but the prompt. FAILED_PRECONDITION MODEL_NOT_CONFIGURED without a model, or
// TOKEN_PROBABILITIES_UNSUPPORTED if the judge needs what the model does not give. Thread-safe.
absl::StatusOr<JudgePlan> PlanOf(const JudgingSetup& setup);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_PLAN_H_
