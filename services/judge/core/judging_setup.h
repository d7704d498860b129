// What the machine of any kind of judge is made from.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGING_SETUP_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGING_SETUP_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// A value; copies share definition and subject.
struct JudgingSetup {
  // Must have passed judging::ValidateJudgeDefinition.
  std::shared_ptr<const registry::v1::JudgeDefinition> definition;
  // Inputs and outputs are filled in from the trace already (FillFromTrace).
  std::shared_ptr<const Subject> subject;
  std::string assessment_name;
  std::string judge_revision;   // "" for a judge defined in a request.
  std::string experiment;       // experiments/{experiment}; "" if it is not known.
  std::string default_model;    // For definitions without a model; "" if there is none.
  std::string idempotency_key;  // "" for none. Each question adds a suffix of its own.
  bool bypass_cache = false;
  int sample = 0;          // As ModelRequest.sample.
  bool is_sample = false;  // One of the samples of a vote: no votes are counted within.
  std::function<ModelTraits(std::string_view model_uri)> traits;  // What a model can do.

  // The definition's model or the default. FAILED_PRECONDITION MODEL_NOT_CONFIGURED if there is
  // neither.
  absl::StatusOr<std::string> ModelUri() const;

  // The setup of a part: another definition, and a suffix to the key that no other part has.
  JudgingSetup ForPart(std::shared_ptr<const registry::v1::JudgeDefinition> part,
                       std::string_view key_suffix) const;
};

// Makes the machine of a definition, whatever its kind. Errors: INVALID_ARGUMENT naming a field of
// the subject (MISSING_JUDGE_INPUT), FAILED_PRECONDITION MODEL_NOT_CONFIGURED. Kinds that hold
// other judges get it as an argument, so that they need not know all kinds. Thread-safe.
using JudgingMaker = std::function<absl::StatusOr<std::unique_ptr<Judging>>(const JudgingSetup&)>;

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGING_SETUP_H_
