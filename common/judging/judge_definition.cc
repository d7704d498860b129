#include "common/judging/judge_definition.h"

#include <cmath>
#include <string>

#include "common/embed/embed.h"
#include "common/json/json_value.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/judging/builtin_definition.h"
#include "common/judging/cascade_definition.h"
#include "common/judging/code_definition.h"
#include "common/judging/confidence_definition.h"
#include "common/judging/field_path.h"
#include "common/judging/instructions_definition.h"
#include "common/judging/nested_judges.h"
#include "common/judging/pairwise_definition.h"
#include "common/judging/panel_definition.h"
#include "common/judging/scorer_definition.h"
#include "common/judging/value_type.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "re2/re2.h"

namespace assay::judging {

namespace {

using common::v1::ValueType;
using registry::v1::JudgeDefinition;
using registry::v1::JudgeMemory;
using registry::v1::MemoryExample;

absl::Status ValidateInferenceParameters(const google::protobuf::Struct& parameters,
                                         std::string_view field) {
  for (const auto& [name, value] : parameters.fields()) {
    if (name != "temperature" && name != "top_p" && name != "max_tokens" && name != "seed") {
      return InvalidField(field,
                          StrCat("has the parameter `", json::PreviewOf(name, 60),
                                 "`; allowed are temperature, top_p, max_tokens, seed"),
                          "INVALID_INFERENCE_PARAMETER");
    }
    if (!value.has_number_value() || !std::isfinite(value.number_value())) {
      return InvalidField(FieldPath(field, name), "must be a finite number",
                          "INVALID_INFERENCE_PARAMETER");
    }
    if ((name == "max_tokens" && value.number_value() < 1) || value.number_value() < 0) {
      return InvalidField(FieldPath(field, name), "is too small", "INVALID_INFERENCE_PARAMETER");
    }
  }
  return absl::OkStatus();
}

bool IsYesNo(const ValueType& type) {
  const auto& categories = type.category_type().categories();
  return type.has_category_type() && !type.nullable() && categories.size() == 2 &&
         categories.Get(0) == "yes" && categories.Get(1) == "no";
}

absl::Status ValidateExample(const MemoryExample& example, const ValueType& type,
                             std::string_view field) {
  if (example.trace().empty()) return InvalidField(FieldPath(field, "trace"), "must not be empty");
  if (example.trace().size() > 1'000) return InvalidField(FieldPath(field, "trace"), "is too long");
  if (example.has_inputs()) {
    ASSAY_RETURN_IF_ERROR(json::JsonText(example.inputs(), FieldPath(field, "inputs")).status());
  }
  if (example.has_outputs()) {
    ASSAY_RETURN_IF_ERROR(json::JsonText(example.outputs(), FieldPath(field, "outputs")).status());
  }
  const std::string value_field = FieldPath(field, "value");
  if (!example.has_value()) return InvalidField(value_field, "must be given");
  ASSAY_ASSIGN_OR_RETURN(const std::string value, json::JsonText(example.value(), value_field));
  ASSAY_RETURN_IF_ERROR(ValidateValue(type, value, value_field));
  if (example.rationale().size() > kMaxTextBytes) {
    return InvalidField(FieldPath(field, "rationale"), "must have at most 64 KiB");
  }
  if (example.embedding_size() != 0 && example.embedding_size() != embed::kDefaultDimensions) {
    return InvalidField(FieldPath(field, "embedding"),
                        StrCat("must be empty or have ", embed::kDefaultDimensions, " numbers"));
  }
  for (const float number : example.embedding()) {
    if (!std::isfinite(number))
      return InvalidField(FieldPath(field, "embedding"), "must be finite");
  }
  return absl::OkStatus();
}

absl::Status ValidateMemory(const JudgeMemory& memory, const ValueType& type,
                            std::string_view field) {
  if (memory.guidelines_size() > kMaxGuidelines) {
    return InvalidField(FieldPath(field, "guidelines"), "has more than 100 guidelines");
  }
  for (int i = 0; i < memory.guidelines_size(); ++i) {
    ASSAY_RETURN_IF_ERROR(ValidateText(memory.guidelines(i).text(),
                                       StrCat(FieldPath(field, "guidelines"), "[", i, "].text"),
                                       "INVALID_GUIDELINES"));
  }
  if (memory.examples_size() > kMaxMemoryExamples) {
    return InvalidField(FieldPath(field, "examples"), "has more than 10,000 examples");
  }
  for (int i = 0; i < memory.examples_size(); ++i) {
    ASSAY_RETURN_IF_ERROR(ValidateExample(memory.examples(i), type,
                                          StrCat(FieldPath(field, "examples"), "[", i, "]")));
  }
  if (memory.retrieved_examples() < 0 || memory.retrieved_examples() > kMaxRetrievedExamples) {
    return InvalidField(FieldPath(field, "retrieved_examples"), "must be from 0 to 50; 0 means 5");
  }
  if (!memory.embedding_model().empty() && memory.embedding_model() != kEmbeddingModel) {
    return InvalidField(FieldPath(field, "embedding_model"),
                        StrCat("must be `", kEmbeddingModel, "` or empty"));
  }
  return absl::OkStatus();
}

const DefinitionRules& Rules() {
  static const DefinitionRules* const rules =
      new DefinitionRules{ValidateJudgeDefinition, EffectiveValueType};
  return *rules;
}

// Kinds with a type of their own: it may be said, but nothing else.
absl::Status CheckOwnType(const JudgeDefinition& definition, std::string_view field) {
  if (!definition.has_value_type()) return absl::OkStatus();
  const ValueType own = EffectiveValueType(definition);
  if (own.kind_case() == ValueType::KIND_NOT_SET || SameValueType(definition.value_type(), own)) {
    return absl::OkStatus();
  }
  return InvalidField(FieldPath(field, "value_type"),
                      StrCat("of this kind of judge is always ",
                             json::PreviewOf(DescribeValueType(own), 1500), "; leave it out"),
                      "INVALID_VALUE_TYPE");
}

// What only judges take that put questions to a model themselves.
absl::Status CheckModelSettings(const JudgeDefinition& definition, std::string_view field) {
  if (definition.has_memory() && !definition.has_instructions() && !definition.has_guidelines() &&
      !definition.has_builtin()) {
    return InvalidField(FieldPath(field, "memory"),
                        "is for instructions, guidelines and built-in judges only");
  }
  if (definition.fallback_models_size() > kMaxFallbackModels) {
    return InvalidField(FieldPath(field, "fallback_models"), "has more than 5 models");
  }
  for (int i = 0; i < definition.fallback_models_size(); ++i) {
    ASSAY_RETURN_IF_ERROR(ValidateModelUri(definition.fallback_models(i),
                                           FieldPath(field, StrCat("fallback_models[", i, "]"))));
  }
  if (!definition.has_panel() && !definition.has_cascade() && !definition.has_code() &&
      !definition.has_scorer()) {
    return absl::OkStatus();
  }
  const std::string_view why = definition.has_panel() || definition.has_cascade()
                                   ? "belong to the judges within"
                                   : "are refused: this kind of judge asks no model";
  if (definition.inference_parameters().fields_size() > 0) {
    return InvalidField(FieldPath(field, "inference_parameters"), why);
  }
  if (definition.fallback_models_size() > 0) {
    return InvalidField(FieldPath(field, "fallback_models"), why);
  }
  return absl::OkStatus();
}

absl::Status ValidateKind(const JudgeDefinition& definition, std::string_view field) {
  switch (definition.kind_case()) {
    case JudgeDefinition::KIND_NOT_SET:
      return InvalidField(field,
                          "needs exactly one kind: instructions, guidelines, builtin, code, "
                          "pairwise, panel, cascade or scorer");
    case JudgeDefinition::kInstructions:
      ASSAY_RETURN_IF_ERROR(
          ValidateInstructionsJudge(definition.instructions(), FieldPath(field, "instructions")));
      if (definition.has_value_type())
        return ValidateValueType(definition.value_type(), FieldPath(field, "value_type"));
      return absl::OkStatus();
    case JudgeDefinition::kGuidelines:
      if (definition.has_value_type() && !IsYesNo(definition.value_type())) {
        return InvalidField(
            FieldPath(field, "value_type"),
            "of a guidelines judge is always the categories `yes`, `no`; leave it out",
            "INVALID_VALUE_TYPE");
      }
      return ValidateGuidelinesJudge(definition.guidelines(), FieldPath(field, "guidelines"));
    case JudgeDefinition::kBuiltin:
      ASSAY_RETURN_IF_ERROR(ValidateBuiltinJudge(definition, field));
      if (!definition.builtin().has_last_turn_judge()) return absl::OkStatus();
      return ValidateJudgeDefinition(definition.builtin().last_turn_judge(),
                                     FieldPath(field, "builtin.last_turn_judge"));
    case JudgeDefinition::kCode:
      ASSAY_RETURN_IF_ERROR(ValidateCodeJudge(definition.code(), FieldPath(field, "code")));
      return CheckOwnType(definition, field);
    case JudgeDefinition::kPairwise:
      ASSAY_RETURN_IF_ERROR(
          ValidatePairwiseJudge(definition.pairwise(), FieldPath(field, "pairwise")));
      return CheckOwnType(definition, field);
    case JudgeDefinition::kPanel:
      ASSAY_RETURN_IF_ERROR(
          ValidatePanelJudge(definition.panel(), FieldPath(field, "panel"), Rules()));
      return CheckOwnType(definition, field);
    case JudgeDefinition::kCascade:
      ASSAY_RETURN_IF_ERROR(
          ValidateCascadeJudge(definition.cascade(), FieldPath(field, "cascade"), Rules()));
      return CheckOwnType(definition, field);
    case JudgeDefinition::kScorer:
      ASSAY_RETURN_IF_ERROR(ValidateScorerJudge(definition.scorer(), FieldPath(field, "scorer")));
      if (!definition.has_value_type()) return absl::OkStatus();
      return ValidateValueType(definition.value_type(), FieldPath(field, "value_type"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateModelUri(std::string_view uri, std::string_view field) {
  static const RE2* const pattern =
      new RE2(R"([a-z][a-z0-9_-]{0,62}:/+[^/\s\x00-\x1f][^\s\x00-\x1f]*)");
  if (uri.size() > 500 || !RE2::FullMatch(re2::StringPiece(uri.data(), uri.size()), *pattern)) {
    return InvalidField(field,
                        StrCat("is `", json::PreviewOf(uri, 100),
                               "`; a model is `provider:/model`, such as `offline:/lexical`"),
                        "INVALID_MODEL_URI");
  }
  return absl::OkStatus();
}

absl::Status ValidateJudgeDefinition(const JudgeDefinition& definition, std::string_view field) {
  ASSAY_RETURN_IF_ERROR(ValidateNesting(definition, field));
  ASSAY_RETURN_IF_ERROR(ValidateKind(definition, field));
  ASSAY_RETURN_IF_ERROR(CheckModelSettings(definition, field));
  ASSAY_RETURN_IF_ERROR(ValidateConfidence(definition, EffectiveValueType(definition), field));
  if (!definition.model().empty()) {
    ASSAY_RETURN_IF_ERROR(ValidateModelUri(definition.model(), FieldPath(field, "model")));
  }
  ASSAY_RETURN_IF_ERROR(ValidateInferenceParameters(definition.inference_parameters(),
                                                    FieldPath(field, "inference_parameters")));
  if (json::CountChars(definition.description()) > kMaxDescriptionChars) {
    return InvalidField(FieldPath(field, "description"), "must have at most 4,096 characters");
  }
  return ValidateMemory(definition.memory(), EffectiveValueType(definition),
                        FieldPath(field, "memory"));
}

ValueType EffectiveValueType(const JudgeDefinition& definition) {
  ValueType type;
  if (definition.has_guidelines()) {
    type.mutable_category_type()->add_categories("yes");
    type.mutable_category_type()->add_categories("no");
    return type;
  }
  if (definition.has_builtin()) return BuiltinValueType(definition.builtin());
  if (definition.has_code()) return CodeValueType(definition.code());
  if (definition.has_pairwise()) return PairwiseValueType();
  if (definition.has_panel()) return PanelValueType(definition.panel(), Rules());
  if (definition.has_cascade()) return CascadeValueType(definition.cascade(), Rules());
  if (definition.has_value_type()) return definition.value_type();
  if (definition.has_scorer()) return type;  // Only the scorer knows.
  type.mutable_string_type();
  return type;
}

}  // namespace assay::judging
