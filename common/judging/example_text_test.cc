#include "common/judging/example_text.h"

#include "common/embed/embed.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

TEST(ExampleText, TakesStringsAndNumbersButNoKeys) {
  EXPECT_EQ(ExampleText(R"({"issue":"late parcel","n":[3,true]})", R"("sorry")"),
            "late parcel\n3\nsorry\n");
}

TEST(ExampleText, IsEmptyForNothing) { EXPECT_EQ(ExampleText("", ""), ""); }

TEST(ExampleText, BoundsEachPart) {
  const std::string huge = "\"" + std::string(100'000, 'a') + "\"";
  EXPECT_LE(ExampleText(huge, huge).size(), 2 * 16 * 1024u);
}

TEST(EmbedExample, PutsLikeCasesNearer) {
  const auto parcel = EmbedExample(R"({"issue":"my parcel is late"})", R"({"response":"sorry"})");
  const auto near = EmbedExample(R"({"q":"the parcel comes late"})", R"("sorry about that")");
  const auto far = EmbedExample(R"({"q":"export to spreadsheet"})", R"("open the menu")");
  EXPECT_GT(embed::CosineSimilarity(parcel, near), embed::CosineSimilarity(parcel, far));
}

}  // namespace
}  // namespace assay::judging
