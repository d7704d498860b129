#include "services/judge/core/checks/text_comparison.h"

#include <string>

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

TEST(CodePointsTest, ReadsAllLengthsOfUtf8) {
  EXPECT_EQ(CodePoints("aé€👍"), U"aé€👍");
  EXPECT_EQ(CodePoints("a\xFF"), U"a\uFFFD");
  EXPECT_EQ(CodePoints(""), U"");
}

TEST(FoldCaseTest, FoldsLettersOfAnyScript) {
  EXPECT_EQ(FoldCase("ABC Ä Σ Я 42"), "abc ä σ я 42");
  EXPECT_EQ(FoldCase("STRASSE ß"), "strasse ß");
}

TEST(CollapseWhiteSpaceTest, KnowsUnicodesWhiteSpace) {
  EXPECT_EQ(CollapseWhiteSpace(" a \t\n b\u00a0\u2003c\u3000"), "a b c");
  EXPECT_EQ(CollapseWhiteSpace(" \n "), "");
}

TEST(DescribeDifferenceTest, ShowsBothSides) {
  EXPECT_EQ(FirstDifference("äb", "äc"), 1u);
  EXPECT_FALSE(FirstDifference("x", "x").has_value());
  EXPECT_EQ(DescribeDifference("äb", "äc"),
            "They differ at character 2: expected `äb`, found `äc`.");
  const std::string before(100, 'x');
  EXPECT_EQ(DescribeDifference(before + "a", before + "b"),
            "They differ at character 101: expected `…" + std::string(20, 'x') + "a`, found `…" +
                std::string(20, 'x') + "b`.");
  EXPECT_EQ(DescribeDifference("a", ""),
            "They differ at character 1: expected `a`, found nothing.");
}

}  // namespace
}  // namespace assay::judge
