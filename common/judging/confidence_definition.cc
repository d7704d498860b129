#include "common/judging/confidence_definition.h"

#include <string>

#include "common/judging/field_path.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using registry::v1::JudgeDefinition;

constexpr std::string_view kReason = "INVALID_CONFIDENCE";

bool AsksAModelItself(const JudgeDefinition& definition) {
  return definition.has_instructions() || definition.has_guidelines() ||
         definition.has_pairwise() ||
         (definition.has_builtin() && !definition.builtin().should_exact_match());
}

}  // namespace

absl::Status ValidateConfidence(const JudgeDefinition& definition,
                                const common::v1::ValueType& type, std::string_view field) {
  if (!definition.has_confidence()) return absl::OkStatus();
  const std::string path = FieldPath(field, "confidence");
  if (!AsksAModelItself(definition)) {
    return InvalidField(path,
                        definition.has_panel() || definition.has_cascade()
                            ? "belongs to the judges within: a panel and a cascade ask no model "
                              "themselves"
                            : "is refused: this kind of judge asks no model",
                        kReason);
  }
  const registry::v1::ConfidenceSpec& spec = definition.confidence();
  if (spec.method() == common::v1::CONFIDENCE_METHOD_UNSPECIFIED ||
      !common::v1::ConfidenceMethod_IsValid(spec.method())) {
    return InvalidField(StrCat(path, ".method"), "must be TOKEN_PROBABILITY, VOTE_SHARE or STATED",
                        kReason);
  }
  if (spec.method() == common::v1::CONFIDENCE_METHOD_TOKEN_PROBABILITY &&
      (type.nullable() ||
       !(type.has_bool_type() || type.has_integer_type() || type.has_category_type()))) {
    return InvalidField(StrCat(path, ".method"),
                        "TOKEN_PROBABILITY needs a value of type bool, integer or category that "
                        "cannot be null",
                        kReason);
  }
  if (spec.method() != common::v1::CONFIDENCE_METHOD_VOTE_SHARE && spec.samples() != 0) {
    return InvalidField(StrCat(path, ".samples"), "is for VOTE_SHARE only", kReason);
  }
  if (spec.samples() != 0 &&
      (spec.samples() < kMinVoteSamples || spec.samples() > kMaxVoteSamples)) {
    return InvalidField(StrCat(path, ".samples"), "must be from 2 to 25; 0 means 5", kReason);
  }
  return absl::OkStatus();
}

int VoteSamples(const registry::v1::ConfidenceSpec& spec) {
  return spec.samples() == 0 ? kDefaultVoteSamples : spec.samples();
}

}  // namespace assay::judging
