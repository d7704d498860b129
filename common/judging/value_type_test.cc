#include "common/judging/value_type.h"

#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

using ::testing::HasSubstr;

common::v1::ValueType Type(const std::string& text) {
  common::v1::ValueType type;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &type)) << text;
  return type;
}

bool Allows(const std::string& type, const std::string& value) {
  return ValidateValue(Type(type), value, "value").ok();
}

TEST(ValidateValueType, RefusesBrokenTypesNamingTheField) {
  const struct {
    const char* type;
    const char* field;
  } cases[] = {
      {"", "t"},
      {"category_type {}", "t.category_type.categories"},
      {"category_type { categories: 'a' categories: 'a' }", "t.category_type.categories[1]"},
      {"category_type { categories: '' }", "t.category_type.categories[0]"},
      {"integer_type { minimum: 3 maximum: 2 }", "t.integer_type"},
      {"number_type { minimum: nan }", "t.number_type"},
      {"list_type { element { list_type {} } }", "t.list_type.element"},
      {"list_type {}", "t.list_type.element"},
      {"dictionary_type { value { category_type {} } }",
       "t.dictionary_type.value.category_type.categories"},
  };
  for (const auto& c : cases) {
    const absl::Status status = ValidateValueType(Type(c.type), "t");
    EXPECT_THAT(status, HasReason("INVALID_VALUE_TYPE")) << c.type;
    EXPECT_THAT(status, HasFieldViolation(c.field)) << c.type;
  }
}

TEST(ValidateValueType, AllowsNestedOneDeep) {
  EXPECT_OK(ValidateValueType(
      Type("list_type { element { category_type { categories: 'a' } nullable: true } }"), "t"));
}

TEST(ValidateValue, HoldsEachKindToItsRules) {
  EXPECT_TRUE(Allows("bool_type {}", "true"));
  EXPECT_FALSE(Allows("bool_type {}", "\"true\""));
  EXPECT_TRUE(Allows("integer_type { minimum: 1 maximum: 5 }", "5"));
  EXPECT_FALSE(Allows("integer_type { minimum: 1 maximum: 5 }", "6"));
  EXPECT_FALSE(Allows("integer_type {}", "2.5"));
  EXPECT_TRUE(Allows("number_type { minimum: 0 maximum: 1 }", "0.25"));
  EXPECT_FALSE(Allows("number_type { minimum: 0 maximum: 1 }", "1.01"));
  EXPECT_FALSE(Allows("number_type {}", "1e999"));
  EXPECT_TRUE(Allows("string_type {}", "\"x\""));
  EXPECT_FALSE(Allows("string_type {}", "1"));
  EXPECT_TRUE(Allows("list_type { element { bool_type {} } }", "[true,false]"));
  EXPECT_FALSE(Allows("list_type { element { bool_type {} } }", "[true,1]"));
  EXPECT_TRUE(Allows("dictionary_type { value { number_type {} } }", "{\"a\":1}"));
  EXPECT_FALSE(Allows("dictionary_type { value { number_type {} } }", "{\"a\":\"1\"}"));
}

TEST(ValidateValue, AllowsNullOnlyWhereNullable) {
  EXPECT_FALSE(Allows("string_type {}", "null"));
  EXPECT_TRUE(Allows("string_type {} nullable: true", "null"));
}

TEST(ValidateValue, NamesTheAllowedCategories) {
  const absl::Status status = ValidateValue(
      Type("category_type { categories: 'good' categories: 'bad' }"), "\"fine\"", "value");
  EXPECT_THAT(status, HasReason("VALUE_OUTSIDE_TYPE"));
  EXPECT_THAT(status, HasFieldViolation("value"));
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one of \"good\", \"bad\"")));
}

TEST(ValidateValue, RefusesWhatIsNoJson) {
  EXPECT_THAT(ValidateValue(Type("string_type {}"), "good", "value"), HasReason("INVALID_JSON"));
}

TEST(JsonSchemaFor, CoversEachKind) {
  EXPECT_EQ(JsonSchemaFor(Type("bool_type {}")), R"({"type":"boolean"})");
  EXPECT_EQ(JsonSchemaFor(Type("integer_type { minimum: 1 maximum: 5 }")),
            R"({"type":"integer","minimum":1,"maximum":5})");
  EXPECT_EQ(JsonSchemaFor(Type("number_type { minimum: 0.1 maximum: 1234567.25 }")),
            R"({"type":"number","minimum":0.1,"maximum":1234567.25})");
  EXPECT_EQ(JsonSchemaFor(Type("category_type { categories: 'a' categories: 'b\"c' }")),
            R"({"type":"string","enum":["a","b\"c"]})");
  EXPECT_EQ(JsonSchemaFor(Type("list_type { element { string_type {} } } nullable: true")),
            R"({"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]})");
  EXPECT_EQ(JsonSchemaFor(Type("dictionary_type { value { number_type {} } }")),
            R"({"type":"object","additionalProperties":{"type":"number"}})");
}

TEST(VerdictSchemaFor, PutsTheRationaleFirst) {
  EXPECT_EQ(
      VerdictSchemaFor(Type("bool_type {}")),
      R"({"type":"object","properties":{"rationale":{"type":"string"},"result":{"type":"boolean"}},)"
      R"("required":["rationale","result"],"additionalProperties":false})");
}

TEST(ValueKey, SpellsEqualValuesAlike) {
  EXPECT_EQ(ValueKey("\"good\""), "good");
  EXPECT_EQ(ValueKey("1.0"), "1");
  EXPECT_EQ(ValueKey(" true "), "true");
  EXPECT_EQ(ValueKey(R"({"b":1,"a":2})"), R"({"a":2,"b":1})");
  EXPECT_EQ(ValueKey("no json"), "no json");
}

}  // namespace
}  // namespace assay::judging
