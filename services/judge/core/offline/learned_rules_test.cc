#include "services/judge/core/offline/learned_rules.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge::offline {
namespace {

using Effect = LearnedRule::Effect;

ValueScale Levels() {
  return ValueScale::FromSchema(
      *json::ParseJson(R"({"enum":["excellent","good","needs_improvement","poor"]})"), true);
}

bool Applies(const std::string& rule, const std::string& request, const std::string& response) {
  const auto read = ReadRule(rule, Levels());
  return read.has_value() && read->AppliesTo(LexicalText(request), LexicalText(response));
}

TEST(ReadRule, FindsEffectAndValue) {
  const auto cap =
      ReadRule("If the response mentions \"money\", rate it at most needs_improvement.", Levels());
  ASSERT_TRUE(cap.has_value());
  EXPECT_EQ(cap->effect, Effect::kAtMost);
  EXPECT_DOUBLE_EQ(cap->goodness, *Levels().GoodnessOf("needs_improvement"));
  EXPECT_EQ(ReadRule("If it is rude, rate it poor.", Levels())->effect, Effect::kExactly);
  EXPECT_EQ(ReadRule("If it names a time, rate it one level higher.", Levels())->effect,
            Effect::kHigher);
  EXPECT_FALSE(ReadRule("Be nice to people.", Levels()).has_value());
}

TEST(ReadRule, ReadsQuotedTermsButNotValues) {
  const auto rule = ReadRule(
      "Rate the response at most \"poor\" if it mentions \"free trial\" or \"promo code\".",
      Levels());
  ASSERT_TRUE(rule.has_value());
  EXPECT_THAT(rule->terms, testing::ElementsAre("free trial", "promo code"));
}

TEST(LearnedRule, AppliesByQuotedTerms) {
  const std::string rule = "If the response mentions \"free trial\", rate it at most poor.";
  EXPECT_TRUE(Applies(rule, "", "Take our Free Trial today"));
  EXPECT_FALSE(Applies(rule, "free trial?", "No."));
  EXPECT_TRUE(
      Applies("If the request mentions \"refund\", rate it at most good.", "A refund!", "No."));
  EXPECT_TRUE(
      Applies("If the response does not mention \"sorry\", rate it at most good.", "", "Done."));
}

TEST(LearnedRule, AppliesByConcept) {
  const std::string referral =
      "If the response sends the customer to another department without a handover, rate it poor.";
  EXPECT_TRUE(Applies(referral, "The lid is broken", "Please contact the repairs department."));
  EXPECT_FALSE(Applies(referral, "The lid is broken",
                       "I've passed it on to the repairs department, they will call you."));
  const std::string again =
      "If the response asks for information that the request already gives, rate it at most poor.";
  EXPECT_TRUE(Applies(again, "Where is order 4711?", "Could you tell me your order number?"));
  EXPECT_FALSE(Applies(again, "Where is my order?", "Could you tell me your order number?"));
}

TEST(LearnedRule, AppliesByTheWordsOfAnUnknownCondition) {
  const std::string rule = "If the response talks about penguins, rate it at most poor.";
  EXPECT_TRUE(Applies(rule, "", "Penguins are great."));
  EXPECT_FALSE(Applies(rule, "", "Cats are great."));
}

TEST(ApplyRules, LetsCapsWinOverRaises) {
  const std::vector<LearnedRule> rules = {
      *ReadRule("If the response mentions \"b\", rate it at most poor.", Levels()),
      *ReadRule("If the response mentions \"aa\", rate it one level higher.", Levels()),
      *ReadRule("If the response mentions \"bb\", rate it at most poor.", Levels())};
  std::vector<std::string> applied;
  EXPECT_NEAR(ApplyRules(rules, LexicalText(""), LexicalText("aa"), 0.4, 4, &applied), 0.65, 1e-9);
  EXPECT_NEAR(ApplyRules(rules, LexicalText(""), LexicalText("aa bb"), 0.4, 4, &applied), 0.125,
              1e-9);
  EXPECT_EQ(applied.size(), 3u);
}

}  // namespace
}  // namespace assay::judge::offline
