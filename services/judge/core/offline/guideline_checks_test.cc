#include "services/judge/core/offline/guideline_checks.h"

#include "gtest/gtest.h"

namespace assay::judge::offline {
namespace {

bool Met(const std::string& guideline, const std::string& request, const std::string& response,
         const std::map<std::string, std::string>& context = {}) {
  return CheckGuideline(guideline, LexicalText(request), LexicalText(response), context).met;
}

TEST(CheckGuideline, TellsCourtesyFromRudeness) {
  const std::string tone = "The response must be courteous. It must show empathy for concerns.";
  EXPECT_TRUE(Met(tone, "My lamp is broken", "I'm sorry about the lamp, a new one is on its way."));
  EXPECT_FALSE(Met(tone, "My lamp is broken", "A new one is on its way."));
  EXPECT_FALSE(Met(tone, "My lamp is broken", "I'm sorry that you people are so stupid."));
}

TEST(CheckGuideline, WantsPricesDeclinedWithAReference) {
  const std::string rule =
      "If the request is a question about product pricing, the response must politely decline to "
      "answer and refer the "
      "user to the pricing page.";
  EXPECT_TRUE(
      Met(rule, "What does a lamp cost?", "I'm afraid I can't say, please see our pricing page."));
  EXPECT_FALSE(Met(rule, "What does a lamp cost?", "20 euro, see our pricing page."));
  EXPECT_FALSE(Met(rule, "What does a lamp cost?", "I'm afraid I can't say."));
  EXPECT_TRUE(Met(rule, "My lamp flickers", "Tighten the bulb, that takes 2 minutes."));
}

TEST(CheckGuideline, WantsQuestionsForUnclearRequests) {
  const std::string rule =
      "The response must be relevant to the request. If the request is not clear, the response "
      "must ask for more "
      "information.";
  EXPECT_TRUE(Met(rule, "help, it is broken", "What exactly is broken?"));
  EXPECT_FALSE(Met(rule, "help, it is broken", "All is well now."));
  EXPECT_FALSE(Met(rule, "How do I rotate a picture?", "We open at nine."));
}

TEST(CheckGuideline, FindsRamblingAndJargon) {
  const std::string rule = "The response must use clear, concise language. It must avoid jargon.";
  EXPECT_TRUE(Met(rule, "Reset?", "Hold the button for ten seconds."));
  EXPECT_FALSE(Met(rule, "Reset?", "Well, by the way, or rather, where was I, hold the button."));
  EXPECT_FALSE(Met(rule, "Reset?",
                   "Flush the DNS cache and invalidate the TLS handshake on the upstream proxy."));
}

TEST(CheckGuideline, HoldsResponsesToThePoliciesGiven) {
  const std::string rule =
      "If the provided_policies is relevant, the response must adhere to the provided_policies.";
  const std::string request = "Can I return what I bought 2 months ago?";
  const std::map<std::string, std::string> thirty = {
      {"provided_policies", "Returns must be made within 30 days."}};
  const std::map<std::string, std::string> ninety = {
      {"provided_policies", "Returns must be made within 90 days."}};
  EXPECT_FALSE(Met(rule, request, "Yes, of course you can.", thirty));
  EXPECT_TRUE(Met(rule, request, "I'm afraid it is too late.", thirty));
  EXPECT_TRUE(Met(rule, request, "Yes, of course you can.", ninety));
  const std::string rude = "You can't be bothered to look it up? Send it, you get your money.";
  EXPECT_FALSE(Met(rule, request, rude, thirty));
  EXPECT_TRUE(Met(rule, request, rude, ninety));
  EXPECT_FALSE(Met(rule, request, "I'm afraid it is too late.", ninety));
}

TEST(CheckGuideline, ChecksMentions) {
  EXPECT_FALSE(Met("The response must not mention competitors.", "", "Our competitors are worse."));
  EXPECT_TRUE(Met("The response must not mention competitors.", "", "We are fine."));
  EXPECT_FALSE(Met("The response must mention the opening hours.", "", "Come in."));
  EXPECT_TRUE(Met("The response must mention the opening hours.", "",
                  "Our opening hours are on the door."));
}

}  // namespace
}  // namespace assay::judge::offline
