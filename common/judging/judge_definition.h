// The rules of a judge's definition, shared by the service that stores judges and the one that runs
// them.
#ifndef ASSAY_COMMON_JUDGING_JUDGE_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_JUDGE_DEFINITION_H_

#include <string_view>

#include "absl/status/status.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "common/judging/guidelines_definition.h"
#include "common/judging/text_rule.h"

namespace assay::judging {

inline constexpr int kMaxMemoryExamples = 10'000;
inline constexpr int kDefaultRetrievedExamples = 5;
inline constexpr int kMaxRetrievedExamples = 50;
inline constexpr int kMaxFallbackModels = 5;
inline constexpr size_t kMaxDescriptionChars = 4'096;
inline constexpr std::string_view kEmbeddingModel = "local:/hashed-ngrams";

// OK, or INVALID_ARGUMENT that names the field below `field`
// (`definition.instructions.instructions`) and what is allowed. Reasons: UNKNOWN_TEMPLATE_VARIABLE,
// MISSING_TEMPLATE_VARIABLE, INVALID_TEMPLATE_VARIABLES, INVALID_NAMED_INPUTS, INVALID_VALUE_TYPE, INVALID_MODEL_URI, INVALID_INFERENCE_PARAMETER,
// INVALID_GUIDELINES, INVALID_CONTEXT, VALUE_OUTSIDE_TYPE (an example's value), INVALID_JSON,
// INVALID_FIELD. Thread-safe, as all here.
absl::Status ValidateJudgeDefinition(const registry::v1::JudgeDefinition& definition,
                                     std::string_view field = "definition");

// `provider:/model`, else INVALID_ARGUMENT, reason INVALID_MODEL_URI.
absl::Status ValidateModelUri(std::string_view uri, std::string_view field);

// The declared type with its default: string for instructions, the categories `yes` and `no` for
// guidelines, a built-in judge's own.
common::v1::ValueType EffectiveValueType(const registry::v1::JudgeDefinition& definition);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_JUDGE_DEFINITION_H_
