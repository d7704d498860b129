#include "services/judge/core/guideline_verdicts.h"

#include <string>

#include "common/json/json_reader.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;

std::string Answer(const std::string& entries, const std::string& result) {
  return R"({"guideline_verdicts":[)" + entries + R"(],"rationale":"r","result":")" + result +
         "\"}";
}
constexpr char kMet[] = R"({"guideline":1,"rationale":"kind","result":"yes"})";
constexpr char kBroken[] = R"({"guideline":2,"rationale":"long","result":"no"})";

std::string CodeOf(const std::string& answer, const std::string& result = "\"no\"") {
  const auto read = ReadGuidelineVerdicts(answer, 2, result);
  const auto* violation = std::get_if<AnswerViolation>(&read);
  return violation == nullptr ? "" : violation->code;
}

TEST(ReadGuidelineVerdicts, GivesAPartForEachInTheOrderOfTheGuidelines) {
  const auto read =
      ReadGuidelineVerdicts(Answer(std::string(kBroken) + "," + kMet, "no"), 2, "\"no\"");
  const auto* parts = std::get_if<std::vector<common::v1::FeedbackPart>>(&read);
  ASSERT_NE(parts, nullptr);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].part(), "guidelines[0]");
  EXPECT_EQ((*parts)[0].value().json_text(), "\"yes\"");
  EXPECT_EQ((*parts)[1].part(), "guidelines[1]");
  EXPECT_EQ((*parts)[1].value().json_text(), "\"no\"");
  EXPECT_EQ((*parts)[1].rationale(), "long");
}

TEST(ReadGuidelineVerdicts, TakesWordsForYesAndNo) {
  EXPECT_EQ(
      CodeOf(Answer(R"({"guideline":1,"result":true},{"guideline":2,"result":"Fail."})", "no")),
      "");
}

TEST(ReadGuidelineVerdicts, RefusesWhatContradictsItself) {
  const std::string both = std::string(kMet) + "," + kBroken;
  EXPECT_EQ(CodeOf(Answer(both, "yes"), "\"yes\""), "ANSWER_INCONSISTENT");
  EXPECT_EQ(CodeOf(Answer(std::string(kMet) + R"(,{"guideline":2,"result":"yes"})", "no")),
            "ANSWER_INCONSISTENT");
}

TEST(ReadGuidelineVerdicts, RefusesEntriesThatAreNotOnePerGuideline) {
  for (const std::string& entries :
       {std::string(), std::string(kMet), std::string(kMet) + "," + kMet,
        std::string(kMet) + "," + kBroken + R"(,{"guideline":3,"result":"yes"})",
        std::string(kMet) + R"(,{"guideline":"2","result":"yes"})", std::string("1,2"),
        std::string(R"({"guideline":0,"result":"no"})")}) {
    EXPECT_EQ(CodeOf(Answer(entries, "no")), "ANSWER_UNREADABLE") << entries;
  }
  EXPECT_EQ(CodeOf(R"({"rationale":"r","result":"no"})"), "ANSWER_UNREADABLE");
  EXPECT_EQ(CodeOf(R"({"guideline_verdicts":{},"result":"no"})"), "ANSWER_UNREADABLE");
  EXPECT_EQ(CodeOf("no"), "ANSWER_UNREADABLE");
  EXPECT_EQ(CodeOf(Answer(std::string(kMet) + R"(,{"guideline":2,"result":"perhaps"})", "no")),
            "VALUE_OUTSIDE_TYPE");
}

TEST(GuidelineVerdictsSchema, IsJsonThatPutsReasonsFirst) {
  common::v1::ValueType type;
  type.mutable_category_type()->add_categories("yes");
  const std::string schema = GuidelineVerdictsSchema(type);
  EXPECT_OK(json::ValidateJson(schema));
  EXPECT_LT(schema.find("guideline_verdicts"), schema.rfind("\"result\":{\"enum\""));
  EXPECT_THAT(schema, HasSubstr(R"("additionalProperties":false)"));
}

}  // namespace
}  // namespace assay::judge
