#include "services/judge/core/offline/lexical_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge::offline {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(LexicalText, FindsPhrasesAtWordBounds) {
  const LexicalText text("I\xE2\x80\x99m sorry, we can't do that. Apologies!");
  EXPECT_TRUE(text.Has("i'm sorry"));
  EXPECT_TRUE(text.Has("apolog*"));
  EXPECT_TRUE(text.Has("sorry we can't"));
  EXPECT_FALSE(text.Has("sorr"));
  EXPECT_EQ(text.Count({{"sorry", "apolog*", "glad"}}), 2);
}

TEST(LexicalText, SplitsSentencesButNotNumbers) {
  EXPECT_THAT(LexicalText("It costs 14.90 now. Why? Because.").sentences(),
              ElementsAre("It costs 14.90 now.", "Why?", "Because."));
}

TEST(LexicalText, StemsWordsThatCarryMeaning) {
  EXPECT_THAT(LexicalText("The orders of 88412 were planned").ContentStems(),
              UnorderedElementsAre("order", "88412", "plan"));
}

TEST(LexicalText, HoldsNothingOfNothing) {
  const LexicalText text("");
  EXPECT_TRUE(text.words().empty());
  EXPECT_TRUE(text.sentences().empty());
  EXPECT_FALSE(text.Has("a"));
}

TEST(Coverage, IsTheShareOfTheFirst) {
  EXPECT_DOUBLE_EQ(Coverage({"a", "b"}, {"b", "c"}), 0.5);
  EXPECT_DOUBLE_EQ(Coverage({}, {"b"}), 0.0);
}

}  // namespace
}  // namespace assay::judge::offline
