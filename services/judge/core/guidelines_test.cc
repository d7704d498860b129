#include "services/judge/core/guidelines.h"

#include <memory>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Subject MakeSubject() {
  Subject subject;
  subject.inputs = R"({"messages":[{"role":"user","content":"Can I return it?"}],"user_id":1})";
  subject.outputs = R"({"message":"Yes.","policies_followed":["30 days"]})";
  subject.expectations = R"({"guidelines":["Be kind","Be brief"]})";
  return subject;
}

registry::v1::GuidelinesJudge Judge() {
  registry::v1::GuidelinesJudge judge;
  judge.add_guidelines("Be polite");
  return judge;
}

TEST(CollectGuidelinesCase, ReadsRequestAndResponseByDefault) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const GuidelinesCase result,
                             CollectGuidelinesCase(Judge(), MakeSubject()));
  EXPECT_THAT(result.guidelines, ElementsAre("Be polite"));
  EXPECT_THAT(
      result.context,
      ElementsAre(Pair("request", "\"Can I return it?\""),
                  Pair("response", R"({"message":"Yes.","policies_followed":["30 days"]})")));
}

TEST(CollectGuidelinesCase, FollowsTheJudgesPaths) {
  registry::v1::GuidelinesJudge judge = Judge();
  (*judge.mutable_context())["provided_policies"] = "outputs.policies_followed";
  (*judge.mutable_context())["question"] = "inputs.messages[0].content";
  (*judge.mutable_context())["all"] = "expectations";
  ASSAY_ASSERT_OK_AND_ASSIGN(const GuidelinesCase result,
                             CollectGuidelinesCase(judge, MakeSubject()));
  EXPECT_THAT(result.context, ElementsAre(Pair("all", R"({"guidelines":["Be kind","Be brief"]})"),
                                          Pair("provided_policies", R"(["30 days"])"),
                                          Pair("question", "\"Can I return it?\"")));
}

TEST(CollectGuidelinesCase, NamesThePathThatLeadsNowhere) {
  registry::v1::GuidelinesJudge judge = Judge();
  (*judge.mutable_context())["p"] = "outputs.policies";
  const auto result = CollectGuidelinesCase(judge, MakeSubject());
  EXPECT_THAT(result, HasReason("MISSING_JUDGE_INPUT"));
  EXPECT_THAT(result, HasFieldViolation("outputs.policies"));
}

TEST(CollectGuidelinesCase, PrefersTheContextOfTheSubject) {
  Subject subject = MakeSubject();
  subject.context["response"] = "\"Other.\"";
  EXPECT_THAT(CollectGuidelinesCase(Judge(), subject)->context,
              ElementsAre(Pair("response", "\"Other.\"")));
  subject.context["bad name"] = "1";
  EXPECT_THAT(CollectGuidelinesCase(Judge(), subject), HasReason("INVALID_CONTEXT"));
}

TEST(CollectGuidelinesCase, TakesGuidelinesOfTheRow) {
  registry::v1::GuidelinesJudge judge;
  judge.set_per_row(true);
  Subject subject = MakeSubject();
  EXPECT_THAT(CollectGuidelinesCase(judge, subject)->guidelines,
              ElementsAre("Be kind", "Be brief"));
  subject.expectations = R"({"guidelines":"Be kind"})";
  EXPECT_THAT(CollectGuidelinesCase(judge, subject)->guidelines, ElementsAre("Be kind"));
}

TEST(CollectGuidelinesCase, TakesGuidelinesThatPeopleExpectOfTheTrace) {
  registry::v1::GuidelinesJudge judge;
  judge.set_per_row(true);
  auto trace = std::make_shared<trace::v1::Trace>();
  auto& expected = *trace->add_assessments();
  expected.set_assessment_name("guidelines");
  expected.set_expectation(true);
  expected.mutable_source()->set_kind(common::v1::SOURCE_KIND_HUMAN);
  expected.mutable_value()->set_json_text(R"(["Be warm"])");
  Subject subject = MakeSubject();
  subject.trace = trace;
  EXPECT_THAT(CollectGuidelinesCase(judge, subject)->guidelines,
              ElementsAre("Be kind", "Be brief"));
  for (const char* without : {R"({"expected_response":"x"})", R"({"guidelines":null})"}) {
    subject.expectations = without;
    EXPECT_THAT(CollectGuidelinesCase(judge, subject)->guidelines, ElementsAre("Be warm"));
  }
}

TEST(CollectGuidelinesCase, LooksAtTheConversationAlone) {
  registry::v1::GuidelinesJudge judge = Judge();
  judge.set_conversation(true);
  EXPECT_THAT(CollectGuidelinesCase(judge, MakeSubject()), HasFieldViolation("session"));
  auto trace = std::make_shared<trace::v1::Trace>();
  trace->mutable_inputs()->set_json_text("\"Hi\"");
  Subject subject;
  subject.session = {trace};
  EXPECT_THAT(CollectGuidelinesCase(judge, subject)->context,
              ElementsAre(Pair("conversation", R"([{"role":"user","content":"Hi"}])")));
  subject.context["x"] = "1";
  EXPECT_THAT(CollectGuidelinesCase(judge, subject), HasReason("INVALID_CONTEXT"));
}

TEST(CollectGuidelinesCase, RefusesRowsWithoutUsableGuidelines) {
  registry::v1::GuidelinesJudge judge;
  judge.set_per_row(true);
  Subject subject = MakeSubject();
  for (const char* expectations : {"{}", R"({"guidelines":null})", R"({"guidelines":[]})"}) {
    subject.expectations = expectations;
    EXPECT_THAT(CollectGuidelinesCase(judge, subject), HasReason("MISSING_JUDGE_INPUT"))
        << expectations;
  }
  for (const char* expectations :
       {R"({"guidelines":3})", R"({"guidelines":["a",3]})", R"({"guidelines":" "})"}) {
    subject.expectations = expectations;
    EXPECT_THAT(CollectGuidelinesCase(judge, subject), HasReason("INVALID_GUIDELINES"))
        << expectations;
  }
  subject.expectations.reset();
  EXPECT_THAT(CollectGuidelinesCase(judge, subject), HasFieldViolation("expectations.guidelines"));
}

TEST(CollectGuidelinesCase, NeedsInputsAndOutputsByDefault) {
  Subject subject = MakeSubject();
  subject.outputs.reset();
  EXPECT_THAT(CollectGuidelinesCase(Judge(), subject), HasFieldViolation("outputs"));
  subject.inputs.reset();
  EXPECT_THAT(CollectGuidelinesCase(Judge(), subject), HasFieldViolation("inputs"));
}

}  // namespace
}  // namespace assay::judge
