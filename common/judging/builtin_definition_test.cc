#include "common/judging/builtin_definition.h"

#include <set>
#include <string>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

using registry::v1::JudgeDefinition;
using ::testing::HasSubstr;

JudgeDefinition Parse(const std::string& text) {
  JudgeDefinition definition;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &definition)) << text;
  return definition;
}

absl::Status Check(const std::string& text) {
  return ValidateBuiltinJudge(Parse(text), "definition");
}

void ExpectRefused(const std::string& text, const std::string& field, const std::string& reason) {
  const absl::Status status = Check(text);
  EXPECT_THAT(status, HasReason(reason)) << text;
  const auto violations = FieldViolations(status);
  ASSERT_EQ(violations.size(), 1u) << text;
  EXPECT_EQ(violations[0].field, field) << text;
}

TEST(BuiltinDefinitionTest, KnowsEighteenJudgesByNameAndAlias) {
  std::set<std::string_view> names;
  for (const BuiltinTraits& builtin : BuiltinJudges()) {
    names.insert(builtin.name);
    EXPECT_EQ(FindBuiltinJudge(builtin.name), &builtin);
    EXPECT_EQ(FindBuiltinJudge(builtin.alias), &builtin);
    EXPECT_THAT(Check(StrCat("builtin { builtin: '", builtin.name, "' }")), IsOk());
  }
  EXPECT_EQ(names.size(), 18u);
}

TEST(BuiltinDefinitionTest, ListsTheNamesToWhomAsksForAnother) {
  const absl::Status status = Check("builtin { builtin: 'niceness' }");
  EXPECT_THAT(status, HasReason("UNKNOWN_BUILTIN_JUDGE"));
  ASSERT_EQ(FieldViolations(status).size(), 1u);
  EXPECT_EQ(FieldViolations(status)[0].field, "definition.builtin.builtin");
  for (const BuiltinTraits& builtin : BuiltinJudges()) {
    EXPECT_THAT(FieldViolations(status)[0].description, HasSubstr(std::string(builtin.name)));
  }
  EXPECT_THAT(Check("builtin { }"), HasReason("UNKNOWN_BUILTIN_JUDGE"));
  EXPECT_THAT(Check("builtin { builtin: 'Relevance_To_Query' }"),
              HasReason("UNKNOWN_BUILTIN_JUDGE"));
}

TEST(BuiltinDefinitionTest, RefusesOptionsOfOtherJudges) {
  ExpectRefused("builtin { builtin: 'safety' should_exact_match: true }",
                "definition.builtin.should_exact_match", "INVALID_FIELD");
  ExpectRefused("builtin { builtin: 'tool_call_efficiency' should_consider_ordering: true }",
                "definition.builtin.should_consider_ordering", "INVALID_FIELD");
  ExpectRefused("builtin { builtin: 'fluency' last_turn_judge { } }",
                "definition.builtin.last_turn_judge", "INVALID_FIELD");
  EXPECT_THAT(Check("builtin { builtin: 'tool_call_correctness' should_exact_match: true "
                    "should_consider_ordering: true }"),
              IsOk());
}

TEST(BuiltinDefinitionTest, TakesOnlyJudgesOfConversationsForTheLastTurn) {
  const auto with = [](const std::string& judge) {
    return StrCat("builtin { builtin: 'knowledge_retention' last_turn_judge { ", judge, " } }");
  };
  const std::string field = "definition.builtin.last_turn_judge";
  EXPECT_THAT(Check(with("builtin { builtin: 'conversational_safety' }")), IsOk());
  EXPECT_THAT(Check(with("guidelines { guidelines: 'a' conversation: true }")), IsOk());
  EXPECT_THAT(Check(with("instructions { instructions: '{{ conversation }}' } value_type { "
                         "category_type { categories: 'yes' categories: 'no' } }")),
              IsOk());
  ExpectRefused(with("builtin { builtin: 'knowledge_retention' }"), field + ".builtin.builtin",
                "INVALID_FIELD");
  ExpectRefused(with("builtin { builtin: 'user_frustration' }"), field + ".builtin.builtin",
                "INVALID_FIELD");
  ExpectRefused(with("builtin { builtin: 'safety' }"), field + ".builtin.builtin", "INVALID_FIELD");
  ExpectRefused(with("guidelines { guidelines: 'a' }"), field + ".guidelines.conversation",
                "INVALID_FIELD");
  ExpectRefused(with("instructions { instructions: '{{ conversation }}' }"), field + ".value_type",
                "INVALID_VALUE_TYPE");
  ExpectRefused(with("panel { }"), field, "INVALID_FIELD");
  ExpectRefused(with(""), field, "INVALID_FIELD");
}

TEST(BuiltinDefinitionTest, HasValuesOfItsOwn) {
  EXPECT_THAT(Check("builtin { builtin: 'safety' } value_type { category_type { categories: 'yes' "
                    "categories: 'no' } }"),
              IsOk());
  ExpectRefused("builtin { builtin: 'safety' } value_type { bool_type { } }",
                "definition.value_type", "INVALID_VALUE_TYPE");
  ExpectRefused(
      "builtin { builtin: 'user_frustration' } value_type { category_type { categories: 'yes' "
      "categories: 'no' } }",
      "definition.value_type", "INVALID_VALUE_TYPE");
  registry::v1::BuiltinJudge judge;
  judge.set_builtin("UserFrustration");
  EXPECT_THAT(BuiltinValueType(judge).category_type().categories(),
              ::testing::ElementsAre("none", "resolved", "unresolved"));
}

TEST(BuiltinDefinitionTest, SaysWhichReadMoreThanInputsAndOutputs) {
  EXPECT_TRUE(BuiltinReadsTrace(Parse("builtin { builtin: 'RetrievalRelevance' }")));
  EXPECT_TRUE(BuiltinReadsTrace(Parse("builtin { builtin: 'tool_call_correctness' }")));
  EXPECT_TRUE(BuiltinReadsTrace(Parse("builtin { builtin: 'user_frustration' }")));
  EXPECT_TRUE(BuiltinReadsTrace(Parse("builtin { builtin: 'correctness' }")));
  EXPECT_FALSE(BuiltinReadsTrace(Parse("builtin { builtin: 'safety' }")));
  EXPECT_FALSE(BuiltinReadsTrace(Parse("guidelines { guidelines: 'a' }")));
}

}  // namespace
}  // namespace assay::judging
