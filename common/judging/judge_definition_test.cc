#include "common/judging/judge_definition.h"

#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

registry::v1::JudgeDefinition Definition(const std::string& text) {
  registry::v1::JudgeDefinition definition;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &definition)) << text;
  return definition;
}

constexpr char kInstructions[] = "instructions { instructions: 'Rate {{ outputs }}' } ";
constexpr char kGuidelines[] = "guidelines { guidelines: 'Be polite' } ";

TEST(ValidateJudgeDefinition, AllowsOrdinaryJudges) {
  EXPECT_OK(ValidateJudgeDefinition(Definition(
      std::string(kInstructions) +
      "value_type { category_type { categories: 'good' categories: 'bad' ordered: true } } "
      "model: 'openai:/gpt-x' "
      "inference_parameters { fields { key: 'temperature' value { number_value: 0 } } } "
      "memory { guidelines { text: 'Be strict' } examples { trace: 't' value { json_text: "
      "'\"bad\"' } } }")));
  EXPECT_OK(ValidateJudgeDefinition(Definition(kGuidelines)));
  EXPECT_OK(ValidateJudgeDefinition(Definition("guidelines { per_row: true }")));
  EXPECT_OK(ValidateJudgeDefinition(Definition(
      "instructions { instructions: '{{ conversation }} {{ tone }}' include_timing: true "
      "named_inputs { key: 'tone' value: 'expectations.tone' } }")));
  EXPECT_OK(ValidateJudgeDefinition(Definition(
      "guidelines { guidelines: 'g' context { key: 'policies' value: 'outputs.policies_followed' } "
      "context { key: 'first' value: 'inputs.messages[0].content' } }")));
}

TEST(ValidateJudgeDefinition, RefusesBadOnesNamingFieldAndReason) {
  const std::string instructions = kInstructions;
  const std::string guidelines = kGuidelines;
  const struct {
    std::string definition;
    std::string field;
    std::string reason;
  } cases[] = {
      {"", "definition", "INVALID_FIELD"},
      {"instructions {}", "definition.instructions.instructions", "INVALID_FIELD"},
      {"instructions { instructions: 'Rate it' }", "definition.instructions.instructions",
       "MISSING_TEMPLATE_VARIABLE"},
      {"instructions { instructions: '{{ answer }}' }", "definition.instructions.instructions",
       "UNKNOWN_TEMPLATE_VARIABLE"},
      {"instructions { instructions: '{{ inputs }}" + std::string(kMaxTextBytes, 'x') + "' }",
       "definition.instructions.instructions", "INVALID_FIELD"},
      {instructions + "value_type {}", "definition.value_type", "INVALID_VALUE_TYPE"},
      {instructions + "value_type { category_type {} }",
       "definition.value_type.category_type.categories", "INVALID_VALUE_TYPE"},
      {guidelines + "value_type { bool_type {} }", "definition.value_type", "INVALID_VALUE_TYPE"},
      {"instructions { instructions: '{{ conversation }} {{ outputs }}' }",
       "definition.instructions.instructions", "INVALID_TEMPLATE_VARIABLES"},
      {"instructions { instructions: '{{ outputs[x] }}' }", "definition.instructions.instructions",
       "INVALID_TEMPLATE_VARIABLES"},
      {"instructions { instructions: '{{ outputs }}' named_inputs { key: 'trace' value: 'inputs' } "
       "}",
       "definition.instructions.named_inputs", "INVALID_NAMED_INPUTS"},
      {"instructions { instructions: '{{ a }}' named_inputs { key: 'a' value: 'outputs..b' } }",
       "definition.instructions.named_inputs[a]", "INVALID_NAMED_INPUTS"},
      {"instructions { instructions: '{{ outputs }}' include_timing: true }",
       "definition.instructions.include_timing", "INVALID_FIELD"},
      {"instructions { instructions: '{{ outputs }}' include_tool_calls: true }",
       "definition.instructions.include_tool_calls", "INVALID_FIELD"},
      {"guidelines { guidelines: 'g' conversation: true context { key: 'a' value: 'outputs' } }",
       "definition.guidelines.context", "INVALID_CONTEXT"},
      {"guidelines {}", "definition.guidelines.guidelines", "INVALID_GUIDELINES"},
      {"guidelines { guidelines: ' ' }", "definition.guidelines.guidelines[0]",
       "INVALID_GUIDELINES"},
      {"guidelines { guidelines: 'g' per_row: true }", "definition.guidelines.guidelines",
       "INVALID_GUIDELINES"},
      {"guidelines { guidelines: 'g' context { key: '1a' value: 'outputs' } }",
       "definition.guidelines.context", "INVALID_CONTEXT"},
      {"guidelines { guidelines: 'g' context { key: 'a' value: 'trace.x' } }",
       "definition.guidelines.context[a]", "INVALID_CONTEXT"},
      {"guidelines { guidelines: 'g' context { key: 'a' value: 'outputs[' } }",
       "definition.guidelines.context[a]", "INVALID_CONTEXT"},
      {instructions + "model: 'gpt-x'", "definition.model", "INVALID_MODEL_URI"},
      {instructions + "model: 'openai:/'", "definition.model", "INVALID_MODEL_URI"},
      {instructions + "inference_parameters { fields { key: 'stop' value { number_value: 1 } } }",
       "definition.inference_parameters", "INVALID_INFERENCE_PARAMETER"},
      {instructions + "inference_parameters { fields { key: 'seed' value { string_value: '1' } } }",
       "definition.inference_parameters.seed", "INVALID_INFERENCE_PARAMETER"},
      {instructions + "description: '" + std::string(5000, 'd') + "'", "definition.description",
       "INVALID_FIELD"},
      {instructions + "memory { guidelines {} }", "definition.memory.guidelines[0].text",
       "INVALID_GUIDELINES"},
      {instructions + "memory { examples { value { json_text: '1' } } }",
       "definition.memory.examples[0].trace", "INVALID_FIELD"},
      {instructions + "memory { examples { trace: 't' } }", "definition.memory.examples[0].value",
       "INVALID_FIELD"},
      {instructions + "memory { examples { trace: 't' value { json_text: '1' } } }",
       "definition.memory.examples[0].value", "VALUE_OUTSIDE_TYPE"},
      {instructions + "memory { examples { trace: 't' inputs { json_text: '{' } } }",
       "definition.memory.examples[0].inputs", "INVALID_JSON"},
      {instructions +
           "memory { examples { trace: 't' value { json_text: '\"x\"' } embedding: 1 } }",
       "definition.memory.examples[0].embedding", "INVALID_FIELD"},
      {instructions + "memory { retrieved_examples: 51 }", "definition.memory.retrieved_examples",
       "INVALID_FIELD"},
      {instructions + "memory { embedding_model: 'openai:/e' }",
       "definition.memory.embedding_model", "INVALID_FIELD"},
  };
  for (const auto& c : cases) {
    const absl::Status status = ValidateJudgeDefinition(Definition(c.definition));
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << c.field;
    EXPECT_THAT(status, HasReason(c.reason)) << c.field;
    EXPECT_THAT(status, HasFieldViolation(c.field));
  }
}

TEST(ValidateJudgeDefinition, BeginsFieldPathsWhereTheCallerSays) {
  EXPECT_THAT(ValidateJudgeDefinition(Definition("instructions { instructions: 'x' }"),
                                      "judges[2].definition"),
              HasFieldViolation("judges[2].definition.instructions.instructions"));
}

TEST(EffectiveValueType, DefaultsByKindOfJudge) {
  EXPECT_TRUE(EffectiveValueType(Definition(kInstructions)).has_string_type());
  EXPECT_EQ(EffectiveValueType(Definition(kGuidelines)).category_type().categories(1), "no");
}

}  // namespace
}  // namespace assay::judging
