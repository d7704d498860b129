#include "services/judge/clients/gemini_schema.h"

#include <gtest/gtest.h>

namespace assay::judge {
namespace {

TEST(GeminiSchemaTest, SaysWhatGeminiHasWordsFor) {
  EXPECT_EQ(
      GeminiSchema(
          R"({"$schema":"x","title":"t","type":"object","additionalProperties":false,)"
          R"("required":["result"],"properties":{"result":{"type":["string","null"],)"
          R"("enum":["yes","no"],"description":"d"},"n":{"type":"number","minimum":0},)"
          R"("l":{"type":"array","items":{"type":"string","pattern":"x"},"maxItems":3}}})"),
      R"({"type":"OBJECT","required":["result"],"properties":{"result":{"type":"STRING",)"
      R"("nullable":true,"description":"d","enum":["yes","no"]},"n":{"type":"NUMBER","minimum":0},)"
      R"("l":{"type":"ARRAY","maxItems":3,"items":{"type":"STRING"}}},)"
      R"("propertyOrdering":["result","n","l"]})");
}

TEST(GeminiSchemaTest, AlternativesAndConstants) {
  EXPECT_EQ(
      GeminiSchema(R"({"oneOf":[{"type":"string","const":"a"},{"type":"integer","enum":[1]}]})"),
      R"({"anyOf":[{"type":"STRING","enum":["a"]},{"type":"INTEGER"}]})");
}

TEST(GeminiSchemaTest, LeavesWhatCannotBeSaid) {
  for (const char* schema :
       {"", "[]", "7", R"({"$ref":"#/x"})", R"({"type":"object","properties":{"a":{"$ref":"#"}}})",
        R"({"anyOf":[true]})"}) {
    EXPECT_FALSE(GeminiSchema(schema).has_value()) << schema;
  }
}

}  // namespace
}  // namespace assay::judge
