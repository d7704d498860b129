#include "common/json/utf8.h"

#include "gtest/gtest.h"

namespace assay::json {
namespace {

TEST(Utf8Test, AcceptsWellFormedText) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("plain"));
  EXPECT_TRUE(IsValidUtf8("é €  😀"));
  EXPECT_TRUE(IsValidUtf8("\xF4\x8F\xBF\xBF"));  // U+10FFFF
}

TEST(Utf8Test, RefusesMalformedText) {
  EXPECT_FALSE(IsValidUtf8("\x80"));              // A continuation alone.
  EXPECT_FALSE(IsValidUtf8("\xC3"));              // Ends too early.
  EXPECT_FALSE(IsValidUtf8("\xC0\xAF"));          // Overlong.
  EXPECT_FALSE(IsValidUtf8("\xE0\x80\xAF"));      // Overlong.
  EXPECT_FALSE(IsValidUtf8("\xED\xA0\x80"));      // A surrogate.
  EXPECT_FALSE(IsValidUtf8("\xF4\x90\x80\x80"));  // Above U+10FFFF.
  EXPECT_FALSE(IsValidUtf8("a\xFF"));
}

TEST(Utf8Test, FindsEveryCharacterWhereverItStands) {
  for (size_t place = 0; place < 20; ++place) {
    std::string text(20, 'a');
    text.insert(place, "\xE2\x82\xAC");
    EXPECT_TRUE(IsValidUtf8(text)) << place;
    text[place + 2] = 'b';
    EXPECT_FALSE(IsValidUtf8(text)) << place;
  }
}

TEST(Utf8Test, SanitizeReplacesOnlyBadBytes) {
  EXPECT_EQ(SanitizeUtf8("a\xFFé\xC3"), "a\uFFFDé\uFFFD");
  EXPECT_EQ(SanitizeUtf8("fine €"), "fine €");
}

TEST(Utf8Test, TruncateNeverCutsACharacter) {
  EXPECT_EQ(TruncateUtf8("é€😀", 2), "é€");
  EXPECT_EQ(TruncateUtf8("é€😀", 9), "é€😀");
  EXPECT_EQ(TruncateUtf8Bytes("é€😀", 4), "é");
  EXPECT_EQ(TruncateUtf8Bytes("é€😀", 5), "é€");
  EXPECT_EQ(TruncateUtf8Bytes("é", 1), "");
  EXPECT_EQ(CountChars("é€😀\xFF"), 4u);
}

TEST(Utf8Test, PreviewMarksWhatIsLeftOut) {
  EXPECT_EQ(PreviewOf("short", 5), "short");
  EXPECT_EQ(PreviewOf("longer", 5), "long…");
  EXPECT_EQ(PreviewOf("éééé", 3), "éé…");
  EXPECT_EQ(PreviewOf("x", 0), "");
}

}  // namespace
}  // namespace assay::json
