#include "services/judge/core/verdict.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;

common::v1::ValueType Type(const std::string& text) {
  common::v1::ValueType type;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &type)) << text;
  return type;
}

const char kCategories[] = "category_type { categories: 'good' categories: 'bad' }";
const char kYesNo[] = "category_type { categories: 'yes' categories: 'no' }";

std::string Result(const std::string& type, const std::string& answer, bool yes_or_no = false) {
  const auto read = ReadVerdict(Type(type), yes_or_no, answer, false);
  if (const auto* violation = std::get_if<AnswerViolation>(&read)) return violation->code;
  return std::get<Verdict>(read).result;
}

TEST(ReadVerdict, TakesResultAndRationale) {
  const auto read =
      ReadVerdict(Type(kCategories), false, R"({"rationale":"clear","result":"good"})", false);
  ASSERT_TRUE(std::holds_alternative<Verdict>(read));
  EXPECT_EQ(std::get<Verdict>(read).result, "\"good\"");
  EXPECT_EQ(std::get<Verdict>(read).rationale, "clear");
}

TEST(ReadVerdict, FindsTheObjectInWhatModelsPutAroundIt) {
  const char* answers[] = {
      "```json\n{\"rationale\":\"r\",\"result\":\"good\"}\n```",
      "Sure {here} it is: {\"result\":\"good\"} - done",
      "{\"thought\":1} {\"rationale\":\"with } brace\",\"result\":\"good\"}",
      "{\"rationale\":\"raw\nnewline\tand tab\",\"result\":\"good\"}",
      "{\"rationale\":\"bad \xff utf8\",\"result\":\"good\"}",
      "{\"result\":\" GOOD \"}",
  };
  for (const char* answer : answers) EXPECT_EQ(Result(kCategories, answer), "\"good\"") << answer;
}

TEST(ReadVerdict, RefusesWhatIsNoVerdict) {
  const char* answers[] = {"",      "good",  "{\"rationale\":\"x\"}", "{\"result\":\"good\"",
                           "[1,2]", "{{{{{{"};
  for (const char* answer : answers)
    EXPECT_EQ(Result(kCategories, answer), "ANSWER_UNREADABLE") << answer;
  EXPECT_EQ(Result(kCategories, std::string(kMaxAnswerBytes + 1, 'x')), "ANSWER_UNREADABLE");
}

TEST(ReadVerdict, HoldsTheResultToTheType) {
  EXPECT_EQ(Result(kCategories, R"({"result":"fine"})"), "VALUE_OUTSIDE_TYPE");
  EXPECT_EQ(Result(kCategories, R"({"result":null})"), "VALUE_OUTSIDE_TYPE");
  EXPECT_EQ(Result("bool_type {}", R"({"result":"true"})"), "VALUE_OUTSIDE_TYPE");
  EXPECT_EQ(Result("integer_type { maximum: 5 }", R"({"result":6})"), "VALUE_OUTSIDE_TYPE");
  EXPECT_EQ(Result("integer_type { maximum: 5 }", R"({"result":5})"), "5");
  EXPECT_EQ(Result("list_type { element { string_type {} } }", R"({"result":["a"]})"), R"(["a"])");
}

TEST(ReadVerdict, SaysWhatIsAllowed) {
  const auto read = ReadVerdict(Type(kCategories), false, R"({"result":"fine"})", false);
  EXPECT_THAT(std::get<AnswerViolation>(read).message,
              HasSubstr("\"fine\", but allowed is one of \"good\", \"bad\""));
}

TEST(ReadVerdict, DoesNotGuessBetweenCategoriesThatDifferInCase) {
  EXPECT_EQ(Result("category_type { categories: 'a' categories: 'A' }", R"({"result":" a"})"),
            "VALUE_OUTSIDE_TYPE");
  EXPECT_EQ(Result("category_type { categories: 'a' categories: 'A' }", R"({"result":"A"})"),
            "\"A\"");
}

TEST(ReadVerdict, TakesWordsForYesAndNoOfGuidelinesJudges) {
  for (const char* yes : {R"("Yes.")", R"("PASS")", "true", "1", R"("correct")"}) {
    EXPECT_EQ(Result(kYesNo, std::string("{\"result\":") + yes + "}", true), "\"yes\"") << yes;
  }
  for (const char* no : {R"("No")", R"("fail")", "false", "0", R"("not met")"}) {
    EXPECT_EQ(Result(kYesNo, std::string("{\"result\":") + no + "}", true), "\"no\"") << no;
  }
  EXPECT_EQ(Result(kYesNo, R"({"result":"unknown"})", true), "VALUE_OUTSIDE_TYPE");
}

TEST(ReadVerdict, CallsACutAnswerTruncated) {
  const auto cut = ReadVerdict(Type(kCategories), false, "{\"rationale\":\"it goes on and", true);
  EXPECT_EQ(std::get<AnswerViolation>(cut).code, "ANSWER_TRUNCATED");
  const auto whole = ReadVerdict(Type(kCategories), false, "{\"result\":\"good\"} and then", true);
  EXPECT_TRUE(std::holds_alternative<Verdict>(whole));
}

}  // namespace
}  // namespace assay::judge
