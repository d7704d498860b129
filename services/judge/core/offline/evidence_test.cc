#include "services/judge/core/offline/evidence.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge::offline {
namespace {

double Rate(const std::string& response, const std::string& instructions = "") {
  return Goodness(CollectEvidence(LexicalText("My parcel 4711 is late"), LexicalText(response)),
                  LexicalText(instructions));
}

TEST(NamesTime, FindsDaysHoursAndSpans) {
  for (const char* text :
       {"by Friday", "at 16:00", "within two working days", "tomorrow", "on the 19th", "12 June"}) {
    EXPECT_TRUE(NamesTime(LexicalText(text))) << text;
  }
  for (const char* text : {"soon", "at the office", "order 4711", "may be"}) {
    EXPECT_FALSE(NamesTime(LexicalText(text))) << text;
  }
}

TEST(NamesPerson, FindsSomebodyWhoWillDoSomething) {
  EXPECT_TRUE(NamesPerson(LexicalText("Anna Berg in accounts will call you.")));
  EXPECT_FALSE(NamesPerson(LexicalText("You will get a call. The team is looking at it.")));
}

TEST(Goodness, RisesWithHelpAndFallsWithContempt) {
  const double helpful = Rate(
      "I'm sorry. I've traced parcel 4711, it arrives on Friday because the depot was closed.");
  const double vague = Rate("Delays can have various reasons. Please refer to our website.");
  const double rude = Rate("So what? You people always whine.");
  EXPECT_GT(helpful, vague);
  EXPECT_GT(vague, rude);
  EXPECT_GT(helpful, 0.5);
  EXPECT_LT(rude, 0.25);
}

TEST(Goodness, LooksAtWhatTheInstructionsName) {
  const std::string polite_but_empty =
      "I'm so sorry, thank you for your patience, we understand how annoying this is.";
  EXPECT_GT(Rate(polite_but_empty, "Is the tone polite and empathetic?"),
            Rate(polite_but_empty, "Is it helpful, with clear next steps?"));
}

TEST(CollectEvidence, OfNothingIsNothing) {
  const Evidence evidence = CollectEvidence(LexicalText(""), LexicalText(""));
  for (const double value : evidence.AsArray()) EXPECT_EQ(value, 0.0);
}

}  // namespace
}  // namespace assay::judge::offline
