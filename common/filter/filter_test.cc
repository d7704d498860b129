#include "common/filter/filter.h"

#include <string>
#include <string_view>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::filter {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

std::string Canonical(std::string_view text) {
  const auto filter = ParseFilter(text);
  if (!filter.ok()) return filter.status().ToString();
  return filter->empty() ? "<all>" : ExprText(filter->root());
}

MATCHER_P(RefusedAt, column, "") {
  *result_listener << arg.status();
  return ErrorMetadata(arg.status(), "column") == std::to_string(column);
}

const Comparison& OnlyComparison(const Filter& filter) { return filter.root().comparison; }

TEST(ParseFilterTest, BlankMatchesEverything) {
  EXPECT_EQ(Canonical(""), "<all>");
  EXPECT_EQ(Canonical(" \n\t"), "<all>");
}

TEST(ParseFilterTest, ReadsEveryOperator) {
  EXPECT_EQ(Canonical("a=\"x\""), "a = \"x\"");
  EXPECT_EQ(Canonical("a!=3"), "a != 3");
  EXPECT_EQ(Canonical("a<-3.5e-2"), "a < -3.5e-2");
  EXPECT_EQ(Canonical("a <= 30s"), "a <= 30s");
  EXPECT_EQ(Canonical("a > 1h30m"), "a > 1h30m");
  EXPECT_EQ(Canonical("a >= true"), "a >= true");
  EXPECT_EQ(Canonical("a : \"sub\""), "a : \"sub\"");
  EXPECT_EQ(Canonical("a:*"), "a : *");
  EXPECT_EQ(Canonical("a = \"pre*\""), "a = \"pre*\"");
  EXPECT_EQ(Canonical("a = HUMAN"), "a = HUMAN");
}

TEST(ParseFilterTest, ReadsFields) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const Filter filter, ParseFilter("feedback.`my name`.3d-score : *"));
  EXPECT_THAT(OnlyComparison(filter).field, ElementsAre("feedback", "my name", "3d-score"));
  EXPECT_EQ(ExprText(filter.root()), "feedback.`my name`.3d-score : *");
  EXPECT_EQ(Canonical("`AND` = 1"), "`AND` = 1");
}

TEST(ParseFilterTest, UnescapesStrings) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const Filter filter, ParseFilter(R"(a = "q\" b\\ s\* n\n é")"));
  EXPECT_EQ(OnlyComparison(filter).literal.text, "q\" b\\ s* n\n é");
  EXPECT_EQ(OnlyComparison(filter).op, Op::kEquals);
  EXPECT_EQ(Canonical(ExprText(filter.root())), ExprText(filter.root()));
}

TEST(ParseFilterTest, ReadsLiterals) {
  const auto literal = [](std::string_view text) {
    return OnlyComparison(ParseFilter(std::string("a = ") + std::string(text)).value()).literal;
  };
  EXPECT_THAT(literal("9007199254740993").integer, Optional(9007199254740993));
  EXPECT_EQ(literal("1.5").integer, std::nullopt);
  EXPECT_EQ(literal("-1.5").number, -1.5);
  EXPECT_EQ(literal("250ms").duration, absl::Milliseconds(250));
  EXPECT_THAT(literal("\"2025-01-01T00:00:00Z\"").time,
              Optional(absl::FromUnixSeconds(1735689600)));
  EXPECT_THAT(literal("\"2025-01-01T01:00:00.5+01:00\"").time,
              Optional(absl::FromUnixMillis(1735689600500)));
  EXPECT_EQ(literal("\"infinite-future\"").time, std::nullopt);
  EXPECT_EQ(literal("\"5\"").kind, Literal::Kind::kString);
}

TEST(ParseFilterTest, JoinsAndNests) {
  EXPECT_EQ(Canonical("a=1 AND b=2 AND c=3"), "a = 1 AND b = 2 AND c = 3");
  EXPECT_EQ(Canonical("(a=1 AND b=2) AND c=3"), "(a = 1 AND b = 2) AND c = 3");
  EXPECT_EQ(Canonical("a=1 AND (b=2 OR c=3)"), "a = 1 AND (b = 2 OR c = 3)");
  EXPECT_EQ(Canonical("NOT a=1 AND b=2"), "NOT (a = 1) AND b = 2");
  EXPECT_EQ(Canonical("NOT (a=1 OR b=2)"), "NOT (a = 1 OR b = 2)");
}

TEST(ParseFilterTest, RefusesMixedAndOrWithTheColumn) {
  EXPECT_THAT(ParseFilter("a=1 AND b=2 OR c=3"),
              AllOf(HasReason("INVALID_FILTER"), HasFieldViolation("filter"), RefusedAt(13),
                    StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("column 13"))));
  EXPECT_THAT(ParseFilter("a=1 OR b=2 AND c=3"), RefusedAt(12));
}

TEST(ParseFilterTest, RefusesBadGrammarWithTheColumn) {
  EXPECT_THAT(ParseFilter("a"), RefusedAt(2));
  EXPECT_THAT(ParseFilter("a ="), RefusedAt(4));
  EXPECT_THAT(ParseFilter("= 1"), RefusedAt(1));
  EXPECT_THAT(ParseFilter("a = 1 b = 2"), RefusedAt(7));
  EXPECT_THAT(ParseFilter("a = 1 and b = 2"), RefusedAt(7));
  EXPECT_THAT(ParseFilter("a = 1 AND"), RefusedAt(10));
  EXPECT_THAT(ParseFilter("AND = 1"), RefusedAt(1));
  EXPECT_THAT(ParseFilter("a = AND"), RefusedAt(5));
  EXPECT_THAT(ParseFilter("(a = 1"), RefusedAt(1));
  EXPECT_THAT(ParseFilter("a = 1)"), RefusedAt(6));
  EXPECT_THAT(ParseFilter("a. = 1"), RefusedAt(4));
  EXPECT_THAT(ParseFilter("a == 1"), RefusedAt(3));
  EXPECT_THAT(ParseFilter("a = 'x'"), RefusedAt(5));
  EXPECT_THAT(ParseFilter("a = \"x"), RefusedAt(5));
  EXPECT_THAT(ParseFilter("é = 1"), RefusedAt(1));
  EXPECT_THAT(ParseFilter("a = \"é\" é"), RefusedAt(9));
  EXPECT_THAT(ParseFilter("a = \"x\\q\""), RefusedAt(7));
  EXPECT_THAT(ParseFilter("a = \"*x\""), RefusedAt(6));
  EXPECT_THAT(ParseFilter("a != \"x*\""), RefusedAt(6));
  EXPECT_THAT(ParseFilter("a = *"), RefusedAt(5));
  EXPECT_THAT(ParseFilter("a : 3"), RefusedAt(5));
  EXPECT_THAT(ParseFilter("a = 3x"), RefusedAt(5));
  EXPECT_THAT(ParseFilter("a = 2025-01-01"), RefusedAt(9));
  EXPECT_THAT(ParseFilter("a = 1e999"), RefusedAt(5));
  EXPECT_THAT(ParseFilter("`` = 1"), RefusedAt(1));
  EXPECT_THAT(ParseFilter("`a = 1"), RefusedAt(1));
  EXPECT_THAT(ParseFilter("a = 0x10"), RefusedAt(5));
  EXPECT_THAT(ParseFilter(std::string_view("a = \0", 5)), RefusedAt(5));
  EXPECT_THAT(ParseFilter("a = \"\xFF\""), RefusedAt(1));
}

TEST(ParseFilterTest, BoundsSizeDepthAndTerms) {
  std::string terms = "a = 1";
  for (int i = 1; i < kMaxFilterTerms; ++i) terms += " OR a = 1";
  EXPECT_OK(ParseFilter(terms));
  EXPECT_THAT(ParseFilter(terms + " OR a = 1"), HasReason("INVALID_FILTER"));
  const auto nested = [](int depth) {
    return std::string(depth, '(') + "a = 1" + std::string(depth, ')');
  };
  EXPECT_OK(ParseFilter(nested(kMaxFilterDepth - 1)));
  EXPECT_THAT(ParseFilter(nested(kMaxFilterDepth)), HasReason("INVALID_FILTER"));
  EXPECT_THAT(ParseFilter(std::string(4000, '(')), HasReason("INVALID_FILTER"));
  std::string negations;
  for (int i = 0; i < 1000; ++i) negations += "NOT ";
  EXPECT_THAT(ParseFilter(negations), HasReason("INVALID_FILTER"));
  EXPECT_OK(ParseFilter("a = \"" + std::string(kMaxFilterBytes - 6, 'x') + "\""));
  EXPECT_THAT(ParseFilter("a = \"" + std::string(kMaxFilterBytes - 5, 'x') + "\""),
              HasReason("INVALID_FILTER"));
}

FieldSchema TestSchema() {
  FieldSchema schema;
  schema.Field("name", FieldType::kString)
      .Field("usage.tokens", FieldType::kNumber)
      .Field("create_time", FieldType::kTime)
      .Field("latency", FieldType::kDuration)
      .Field("done", FieldType::kBool)
      .Enum("status", {"OK", "ERROR"})
      .Map("tags", FieldType::kString)
      .Map("feedback", FieldType::kAny)
      .MapEnum("feedback", "source", {"HUMAN", "LLM_JUDGE"})
      .MapField("feedback", "confidence", FieldType::kNumber);
  return schema;
}

TEST(ValidateTest, AcceptsWhatTheSchemaOffers) {
  const FieldSchema schema = TestSchema();
  for (const std::string_view text :
       {"", "name = \"x\"", "name = x", "name : \"x\"", "name = \"x*\"", "usage.tokens >= 10",
        "create_time < \"2025-01-01T00:00:00Z\"", "latency > 2s", "done = true", "NOT done : *",
        "status = OK", "status != \"ERROR\"", "tags.team = \"a\"", "tags.a.b = \"c\"",
        "feedback.q = \"poor\" AND feedback.q.source = HUMAN", "feedback.q > 0.5",
        "feedback.q.confidence < 1", "feedback.`a.b` = yes"}) {
    EXPECT_OK(ParseFilter(text, schema)) << text;
  }
}

TEST(ValidateTest, RefusesUnknownFieldsAndListsTheKnown) {
  EXPECT_THAT(ParseFilter("name = \"x\" AND nmae = \"y\"", TestSchema()),
              AllOf(HasReason("INVALID_FILTER"), RefusedAt(16),
                    StatusIs(absl::StatusCode::kInvalidArgument,
                             HasSubstr("unknown field nmae; known are create_time, done, latency, "
                                       "name, status, usage.tokens, feedback.<name>, "
                                       "feedback.<name>.confidence, feedback.<name>.source, "
                                       "tags.<key>"))));
  EXPECT_THAT(ParseFilter("tags : *", TestSchema()), RefusedAt(1));
  EXPECT_THAT(ParseFilter("feedback.q.other = 1", TestSchema()), RefusedAt(1));
  EXPECT_THAT(ParseFilter("name.x = 1", TestSchema()), RefusedAt(1));
}

TEST(ValidateTest, RefusesValuesOfAnotherType) {
  for (const std::string_view text :
       {"name = 3", "name = true", "usage.tokens = \"3\"", "usage.tokens = 3s", "latency = 3",
        "create_time = \"yesterday\"", "create_time : \"2025-01-01T00:00:00Z\"", "done > true",
        "done = \"true\"", "status = FINE", "status > OK", "status : \"OK\"",
        "feedback.q.source = ROBOT", "tags.x = 1"}) {
    EXPECT_THAT(ParseFilter(text, TestSchema()), HasReason("INVALID_FILTER")) << text;
  }
  EXPECT_THAT(ParseFilter("status = FINE", TestSchema()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one of OK, ERROR")));
}

TEST(MapKeyTest, JoinsWhatFollowsThePrefix) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const Filter filter, ParseFilter("tags.gen_ai.model = \"x\""));
  EXPECT_EQ(MapKey(OnlyComparison(filter).field), "gen_ai.model");
  EXPECT_EQ(MapKey(OnlyComparison(filter).field, 2), "model");
  EXPECT_EQ(MapKey(OnlyComparison(filter).field, 9), "");
}

}  // namespace
}  // namespace assay::filter
