#include "services/judge/core/offline/value_scale.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge::offline {
namespace {

using ::testing::ElementsAre;

ValueScale Scale(const std::string& schema, bool ordered = false) {
  return ValueScale::FromSchema(*json::ParseJson(schema), ordered);
}

TEST(ValueScale, KeepsTheOrderOfOrderedCategories) {
  const ValueScale scale = Scale(R"({"enum":["red","green","blue"]})", true);
  EXPECT_EQ(scale.ValueFor(0.99, ""), "\"red\"");
  EXPECT_EQ(scale.ValueFor(0.5, ""), "\"green\"");
  EXPECT_EQ(scale.ValueFor(0.0, ""), "\"blue\"");
  EXPECT_NEAR(*scale.GoodnessOf("red"), 5.0 / 6, 1e-9);
}

TEST(ValueScale, OrdersOtherCategoriesByTheirSound) {
  EXPECT_THAT(Scale(R"({"enum":["poor","needs_improvement","excellent","good"]})").categories(),
              ElementsAre("excellent", "good", "needs_improvement", "poor"));
  EXPECT_THAT(ValueScale::FromValues({"no", "yes", "no"}).categories(), ElementsAre("yes", "no"));
  EXPECT_THAT(ValueScale::FromValues({"1", "10", "2"}).categories(), ElementsAre("10", "2", "1"));
}

TEST(ValueScale, StaysWithinBounds) {
  EXPECT_EQ(Scale(R"({"type":"integer","minimum":1,"maximum":5})").ValueFor(1, ""), "5");
  EXPECT_EQ(Scale(R"({"type":"integer","minimum":7})").ValueFor(0, ""), "7");
  EXPECT_EQ(Scale(R"({"type":"integer","maximum":-5})").ValueFor(1, ""), "-5");
  EXPECT_EQ(Scale(R"({"type":"number","minimum":0.0005,"maximum":0.0007})").ValueFor(1, ""),
            "0.0007");
  EXPECT_EQ(Scale(R"({"anyOf":[{"type":"number"},{"type":"null"}]})").ValueFor(0.25, ""), "0.25");
}

TEST(ValueScale, AnswersEveryOtherType) {
  EXPECT_EQ(Scale(R"({"type":"boolean"})").ValueFor(0.7, ""), "true");
  EXPECT_EQ(Scale(R"({"type":"string"})").ValueFor(0.7, "why \"so\""), R"("why \"so\"")");
  EXPECT_EQ(Scale(R"({"type":"array","items":{}})").ValueFor(0.7, ""), "[]");
  EXPECT_EQ(Scale(R"({"type":"object"})").ValueFor(0.7, ""), "{}");
  EXPECT_EQ(*Scale(R"({"type":"boolean"})").GoodnessOf("false"), 0.25);
}

}  // namespace
}  // namespace assay::judge::offline
