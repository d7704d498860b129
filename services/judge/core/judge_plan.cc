#include "services/judge/core/judge_plan.h"

#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/answer_confidence.h"

namespace assay::judge {

absl::StatusOr<JudgePlan> PlanOf(const JudgingSetup& setup) {
  JudgePlan plan;
  ASSAY_ASSIGN_OR_RETURN(plan.model_uri, setup.ModelUri());
  const registry::v1::JudgeDefinition& definition = *setup.definition;
  for (const auto& [name, value] : definition.inference_parameters().fields()) {
    plan.parameters[name] = value.number_value();
  }
  plan.fallback_models = {definition.fallback_models().begin(), definition.fallback_models().end()};
  plan.judge_revision = setup.judge_revision;
  plan.idempotency_key = setup.idempotency_key;
  plan.account.experiment = setup.experiment;
  plan.account.judge = setup.judge_revision.empty() ? setup.assessment_name : setup.judge_revision;
  plan.bypass_cache = setup.bypass_cache;
  plan.sample = setup.sample;
  plan.confidence = AnswerConfidenceMethod(setup);
  ASSAY_RETURN_IF_ERROR(CheckConfidenceSupport(plan.confidence, setup, plan.model_uri));
  return plan;
}

ModelRequest JudgePlan::Request(std::string_view key_suffix) const {
  ModelRequest request;
  request.model_uri = model_uri;
  request.messages = prompt.messages;
  request.response_schema = prompt.schema;
  request.schema_name = "verdict";
  request.parameters = parameters;
  request.fallback_models = fallback_models;
  request.account = account;
  request.bypass_cache = bypass_cache;
  request.sample = sample;
  request.token_probabilities = confidence == common::v1::CONFIDENCE_METHOD_TOKEN_PROBABILITY;
  if (!idempotency_key.empty()) request.idempotency_key = StrCat(idempotency_key, key_suffix);
  return request;
}

}  // namespace assay::judge
