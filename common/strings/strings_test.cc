#include "common/strings/strings.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace assay::inline strings {
namespace {

TEST(StringsTest, JoinsEveryKindOfText) {
  const std::string_view view = "view";
  std::string text =
      StrCat("literal ", view, " ", std::string("string "), 7, " ", 1.5, absl::Hex(255));
  EXPECT_EQ(text, "literal view string 7 1.5ff");
  StrAppend(&text, view, ToAbsl(view));
  EXPECT_EQ(text, "literal view string 7 1.5ffviewview");
  EXPECT_EQ(StrCat(), "");
}

TEST(StringsTest, ConvertsViewsBothWays) {
  EXPECT_EQ(ToStd(ToAbsl("a\0b")), std::string_view("a\0b"));
  EXPECT_TRUE(ToStd(ToAbsl(std::string_view())).empty());
}

}  // namespace
}  // namespace assay::inline strings
