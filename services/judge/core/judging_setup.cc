#include "services/judge/core/judging_setup.h"

#include <utility>

#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

absl::StatusOr<std::string> JudgingSetup::ModelUri() const {
  if (!definition->model().empty()) return definition->model();
  if (!default_model.empty()) return default_model;
  return PreconditionFailed("MODEL_NOT_CONFIGURED", "definition.model",
                            "The judge names no model, and no default model is configured.");
}

JudgingSetup JudgingSetup::ForPart(std::shared_ptr<const registry::v1::JudgeDefinition> part,
                                   std::string_view key_suffix) const {
  JudgingSetup setup = *this;
  setup.definition = std::move(part);
  if (!setup.idempotency_key.empty()) StrAppend(&setup.idempotency_key, "/", key_suffix);
  return setup;
}

}  // namespace assay::judge
