// The rules of the kinds of judges that hold other judges, compare, check, or say how sure they are.
#include <string>

#include "common/judging/json_schema.h"
#include "common/judging/judge_definition.h"
#include "common/judging/value_type.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

using registry::v1::JudgeDefinition;

JudgeDefinition Definition(const std::string& text) {
  JudgeDefinition definition;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &definition)) << text;
  return definition;
}

const char kBool[] =
    R"(instructions { instructions: "{{ outputs }}" } value_type { bool_type {} })";
const char kNumber[] =
    R"(instructions { instructions: "{{ outputs }}" } value_type { number_type { minimum: 0 } })";
const char kText[] = R"(instructions { instructions: "{{ outputs }}" })";
const char kRanked[] = R"(instructions { instructions: "{{ outputs }}" } value_type {
  category_type { categories: "good" categories: "bad" ordered: true } })";
const char kYesNo[] = R"(guidelines { guidelines: "Be polite." })";
const char kSure[] = R"(instructions { instructions: "{{ outputs }}" } value_type { bool_type {} }
  confidence { method: CONFIDENCE_METHOD_STATED })";
const char kCheck[] = "code { exact {} }";

std::string Panel(const std::string& aggregation, std::initializer_list<std::string> members,
                  const std::string& more = "") {
  std::string text = StrCat("panel { aggregation: AGGREGATION_", aggregation, " ", more);
  for (const std::string& member : members) StrAppend(&text, " members { judge { ", member, " } }");
  return text + " }";
}

std::string Cascade(std::initializer_list<std::string> stages) {
  std::string text = "cascade {";
  for (const std::string& stage : stages) StrAppend(&text, " stages { judge { ", stage, " } }");
  return text + " }";
}

TEST(KindsDefinitionTest, TakesWhatFitsTogether) {
  const std::string deep =
      Panel("ANY", {kBool, Panel("ALL", {kBool, Panel("ALL", {kBool, kYesNo})})});
  for (const std::string& text : {
           Panel("MAJORITY", {kBool, kBool, kCheck}),
           Panel("MAJORITY", {kText, kText}),
           Panel("MEAN", {kBool, kNumber}, "quorum: 1"),
           Panel("MIN", {kRanked, kRanked}),
           Panel("MAX", {kNumber, kNumber}),
           Panel("ALL", {kBool, kYesNo}),
           deep,
           Cascade({kSure, kBool}),
           Cascade({Panel("MAJORITY", {kBool, kBool}), kBool}),
           Cascade({kSure, kSure, kCheck}),
           std::string("pairwise { second: 'expectations.baseline' }"),
           std::string(
               "pairwise {} confidence { method: CONFIDENCE_METHOD_VOTE_SHARE samples: 3 }"),
           std::string("code { contains { texts: 'x' } actual: 'outputs.text' }"),
           std::string("code { numeric {} expected: 'expectations.number' } "
                       "value_type { bool_type {} }"),
       }) {
    EXPECT_OK(ValidateJudgeDefinition(Definition(text), "definition")) << text;
  }
}

TEST(KindsDefinitionTest, RefusesWithTheFieldAndTheReason) {
  const std::string three = Panel("ALL", {kBool, Panel("ALL", {kBool, kBool})});
  const std::string weight = "members { judge { code { exact {} } } weight: 0 }";
  std::string twenty = "panel { aggregation: AGGREGATION_ALL";
  for (int i = 0; i < 20; ++i) StrAppend(&twenty, " members { judge { ", kCheck, " } }");
  twenty += " }";
  const struct {
    std::string text;
    const char* reason;
    const char* field;
  } cases[] = {
      {Panel("ALL", {kBool}), "INVALID_FIELD", "definition.panel.members"},
      {Panel("UNSPECIFIED", {kBool, kBool}), "INVALID_FIELD", "definition.panel.aggregation"},
      {Panel("ALL", {kBool, kBool}, "quorum: 3"), "INVALID_FIELD", "definition.panel.quorum"},
      {Panel("ALL", {kBool, kBool}, weight), "INVALID_FIELD", "definition.panel.members[0].weight"},
      {Panel("MAJORITY", {kBool, kYesNo}), "INVALID_PANEL", "definition.panel.members[1]"},
      {Panel("MAJORITY", {kText, kText, kBool}), "INVALID_PANEL", "definition.panel.members[2]"},
      {Panel("MEAN", {kNumber, kText}), "INVALID_PANEL", "definition.panel.members[1]"},
      {Panel("MIN", {kYesNo, kYesNo}), "INVALID_PANEL", "definition.panel.members[0]"},
      {Panel("MIN", {kBool, kBool}), "INVALID_PANEL", "definition.panel.members[0]"},
      {Panel("MAX", {kRanked, kNumber}), "INVALID_PANEL", "definition.panel.members[1]"},
      {Panel("ALL", {kBool, kNumber}), "INVALID_PANEL", "definition.panel.members[1]"},
      {Panel("ANY", {kRanked, kBool}), "INVALID_PANEL", "definition.panel.members[0]"},
      {Panel("ALL", {kBool, "instructions { instructions: 'no variable' }"}),
       "MISSING_TEMPLATE_VARIABLE", "definition.panel.members[1].judge.instructions.instructions"},
      {Panel("ALL", {kBool, Panel("ALL", {kBool, three})}), "JUDGES_NESTED_TOO_DEEP",
       "definition.panel.members[1].judge.panel.members[1].judge.panel.members[1].judge"},
      {Panel("ALL", {twenty, twenty, twenty}), "TOO_MANY_JUDGES",
       "definition.panel.members[2].judge.panel.members[10].judge"},
      {Panel("ALL", {kBool, kBool}) + " memory { guidelines { text: 'x' } }", "INVALID_FIELD",
       "definition.memory"},
      {Panel("ALL", {kBool, kBool}) + " value_type { string_type {} }", "INVALID_VALUE_TYPE",
       "definition.value_type"},
      {Panel("ALL", {kBool, kBool}) + " confidence { method: CONFIDENCE_METHOD_STATED }",
       "INVALID_CONFIDENCE", "definition.confidence"},
      {Panel("ALL", {kBool, kBool}) + " fallback_models: 'a:/b'", "INVALID_FIELD",
       "definition.fallback_models"},
      {Cascade({kSure}), "INVALID_FIELD", "definition.cascade.stages"},
      {Cascade({kBool, kBool}), "INVALID_CASCADE", "definition.cascade.stages[0].judge.confidence"},
      {Cascade({kSure, kText}), "INVALID_CASCADE", "definition.cascade.stages[1]"},
      {Cascade({Panel("ALL", {kBool, kBool}), kBool}), "INVALID_CASCADE",
       "definition.cascade.stages[0].judge.confidence"},
      {"cascade { stages { least_confidence: 2 } stages {} }", "INVALID_FIELD",
       "definition.cascade.stages[0].least_confidence"},
      {"pairwise { second: 'outputs..x' }", "INVALID_FIELD", "definition.pairwise.second"},
      {"pairwise { second: 'trace.x' }", "INVALID_FIELD", "definition.pairwise.second"},
      {"pairwise {} memory { guidelines { text: 'x' } }", "INVALID_FIELD", "definition.memory"},
      {"pairwise {} value_type { bool_type {} }", "INVALID_VALUE_TYPE", "definition.value_type"},
      {"code {}", "INVALID_FIELD", "definition.code"},
      {"code { regex { pattern: '(' } }", "INVALID_REGEX", "definition.code.regex.pattern"},
      {"code { regex { pattern: '' } }", "INVALID_REGEX", "definition.code.regex.pattern"},
      {"code { regex { pattern: '(?=x)' } }", "INVALID_REGEX", "definition.code.regex.pattern"},
      {"code { json_schema { schema: '{\"typ\":1}' } }", "INVALID_JSON_SCHEMA",
       "definition.code.json_schema.schema"},
      {"code { contains { texts: 'a' any: true absent: true } }", "INVALID_FIELD",
       "definition.code.contains.any"},
      {"code { contains { texts: '' } }", "INVALID_FIELD", "definition.code.contains.texts[0]"},
      {"code { numeric { absolute_tolerance: -1 } }", "INVALID_FIELD",
       "definition.code.numeric.absolute_tolerance"},
      {"code { numeric { relative_tolerance: nan } }", "INVALID_FIELD",
       "definition.code.numeric.relative_tolerance"},
      {"code { edit_distance { threshold: 1.5 } }", "INVALID_FIELD",
       "definition.code.edit_distance.threshold"},
      {"code { embedding { embedding_model: 'openai:/x' } }", "INVALID_FIELD",
       "definition.code.embedding.embedding_model"},
      {"code { exact {} actual: 'answer' }", "INVALID_FIELD", "definition.code.actual"},
      {"code { regex { pattern: 'x' } expected: 'expectations.x' }", "INVALID_FIELD",
       "definition.code.expected"},
      {"code { exact {} } confidence { method: CONFIDENCE_METHOD_STATED }", "INVALID_CONFIDENCE",
       "definition.confidence"},
      {"code { exact {} } inference_parameters { fields { key: 'seed' value { number_value: 1 } } "
       "}",
       "INVALID_FIELD", "definition.inference_parameters"},
      {std::string(kBool) + " confidence {}", "INVALID_CONFIDENCE", "definition.confidence.method"},
      {std::string(kBool) + " confidence { method: CONFIDENCE_METHOD_STATED samples: 3 }",
       "INVALID_CONFIDENCE", "definition.confidence.samples"},
      {std::string(kBool) + " confidence { method: CONFIDENCE_METHOD_VOTE_SHARE samples: 1 }",
       "INVALID_CONFIDENCE", "definition.confidence.samples"},
      {std::string(kBool) + " confidence { method: CONFIDENCE_METHOD_VOTE_SHARE samples: 26 }",
       "INVALID_CONFIDENCE", "definition.confidence.samples"},
      {std::string(kNumber) + " confidence { method: CONFIDENCE_METHOD_TOKEN_PROBABILITY }",
       "INVALID_CONFIDENCE", "definition.confidence.method"},
      {std::string(kBool) + " fallback_models: 'nonsense'", "INVALID_MODEL_URI",
       "definition.fallback_models[0]"},
  };
  for (const auto& c : cases) {
    const absl::Status status = ValidateJudgeDefinition(Definition(c.text), "definition");
    EXPECT_THAT(status, HasReason(c.reason)) << c.text;
    EXPECT_THAT(status, HasFieldViolation(c.field)) << c.text;
  }
}

TEST(KindsDefinitionTest, KnowsTheTypesOfValues) {
  const struct {
    std::string text;
    const char* described;
  } cases[] = {
      {Panel("MAJORITY", {kRanked, kRanked}), R"(one of "good", "bad" (in order, the best first))"},
      {Panel("MEAN", {kBool, kBool}), "a number from 0 to 1"},
      {Panel("MEAN", {kBool, kNumber}), "a number of at least 0"},
      {Panel("MAX", {kNumber, kNumber}), "a number of at least 0"},
      {Panel("ANY", {kYesNo, kYesNo}), "true or false"},
      {Cascade({kSure, kBool}), "true or false"},
      {"pairwise {}", R"(one of "first", "second", "tie")"},
      {"code { exact {} }", "true or false"},
      {"code { edit_distance {} }", "a number from 0 to 1"},
      {"code { embedding { threshold: 0.5 } }", "true or false"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(DescribeValueType(EffectiveValueType(Definition(c.text))), c.described) << c.text;
  }
}

TEST(JsonSchemaTest, RefusesWhatIsOutsideOfTheVocabulary) {
  for (const char* schema : {"",
                             "no json",
                             "1",
                             "[]",
                             R"({"typ":"string"})",
                             R"({"type":"text"})",
                             R"({"type":[]})",
                             R"({"enum":[]})",
                             R"({"required":"a"})",
                             R"({"required":[1]})",
                             R"({"minLength":-1})",
                             R"({"minLength":1.5})",
                             R"({"multipleOf":0})",
                             R"({"pattern":"("})",
                             R"({"pattern":1})",
                             R"({"patternProperties":{"(":true}})",
                             R"({"properties":[]})",
                             R"({"items":1})",
                             R"({"anyOf":[]})",
                             R"({"anyOf":{}})",
                             R"({"$ref":"#/$defs/none"})",
                             R"({"$ref":"https://example.org/schema"})",
                             R"({"properties":{"a":{"unknown":1}}})",
                             R"({"unevaluatedProperties":false})",
                             R"({"$dynamicRef":"#x"})"}) {
    EXPECT_THAT(JsonSchema::Compile(schema, "schema").status(), HasReason("INVALID_JSON_SCHEMA"))
        << schema;
  }
  const std::string large = StrCat(R"({"title":")", std::string(kMaxJsonSchemaBytes, 'x'), "\"}");
  EXPECT_THAT(JsonSchema::Compile(large, "schema").status(), HasReason("INVALID_JSON_SCHEMA"));
}

TEST(JsonSchemaTest, EndsOnSchemasThatMultiply) {
  // Each level asks the next one twice.
  std::string schema = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    StrAppend(&schema, "\"d", i, "\":{\"anyOf\":[{\"$ref\":\"#/$defs/d", i + 1,
              "\"},{\"$ref\":\"#/$defs/d", i + 1, "\"}]},");
  }
  schema += R"("d40":{"type":"null"}}})";
  const auto compiled = JsonSchema::Compile(schema, "schema");
  ASSERT_OK(compiled);
  EXPECT_TRUE(compiled->Check(*json::ParseJson("1")).has_value());
}

}  // namespace
}  // namespace assay::judging
