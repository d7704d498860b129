#include "common/json/json_reader.h"

#include <string>
#include <string_view>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::json {
namespace {

using ::testing::HasSubstr;

TEST(ValidateJsonTest, AcceptsEveryKindOfValue) {
  for (const std::string_view text : {"null",
                                      "true",
                                      " false\n",
                                      "0",
                                      "-0",
                                      "12",
                                      "-3.25",
                                      "1e5",
                                      "1E-5",
                                      "0.5e+10",
                                      "\"\"",
                                      R"("a\"\\\/\b\f\n\r\t\u00e9")",
                                      R"("\ud83d\ude00")",
                                      "[]",
                                      "{}",
                                      "[ 1 , [ ] , { } ]",
                                      R"({"a": 1, "b": {"a": [null]}})",
                                      "\"é\"",
                                      "123456789012345678901234567890",
                                      "1e400"}) {
    EXPECT_OK(ValidateJson(text)) << text;
  }
}

TEST(ValidateJsonTest, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"",        " ",         "nul",
                                      "nullx",   "True",      "01",
                                      "-",       "1.",        ".5",
                                      "1e",      "1e+",       "+1",
                                      "NaN",     "0x1",       "\"",
                                      "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
                                      "'a'",     "\"a\nb\"",  "[",
                                      "[1",      "[1,]",      "[,]",
                                      "[1 2]",   "]",         "{",
                                      "{\"a\"}", "{\"a\":}",  "{\"a\":1,}",
                                      "{a:1}",   "{1:1}",     "{\"a\":1 \"b\":2}",
                                      "[}",      "1 2",       "{} x",
                                      "// c\n1"}) {
    EXPECT_THAT(ValidateJson(text), HasReason("INVALID_JSON")) << text;
  }
}

TEST(ValidateJsonTest, NamesTheByte) {
  EXPECT_THAT(ValidateJson("[1, x]"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("byte 4")));
}

TEST(ValidateJsonTest, RefusesDuplicateKeysAlsoWhenSpelledDifferently) {
  EXPECT_THAT(ValidateJson(R"({"a": 1, "a": 2})"), HasReason("INVALID_JSON"));
  EXPECT_THAT(ValidateJson(R"({"a": 1, "\u0061": 2})"), HasReason("INVALID_JSON"));
  EXPECT_OK(ValidateJson(R"({"a": {"a": 1}, "b": {"a": 1}})"));
}

TEST(ValidateJsonTest, RefusesLoneSurrogatesAndBadUtf8) {
  EXPECT_THAT(ValidateJson(R"("\ud800")"), HasReason("INVALID_JSON"));
  EXPECT_THAT(ValidateJson(R"("\udc00")"), HasReason("INVALID_JSON"));
  EXPECT_THAT(ValidateJson(R"("\ud800A")"), HasReason("INVALID_JSON"));
  EXPECT_THAT(ValidateJson("\"\xFF\""), HasReason("INVALID_JSON"));
}

TEST(ValidateJsonTest, BoundsDepth) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_OK(ValidateJson(nested(100)));
  EXPECT_THAT(ValidateJson(nested(101)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("deeper than 100")));
  EXPECT_THAT(ValidateJson(std::string(1'000'000, '[')), HasReason("INVALID_JSON"));
}

TEST(ValidateJsonTest, BoundsSizeAndValues) {
  EXPECT_OK(ValidateJson("[1,2]", {.max_bytes = 5}));
  EXPECT_THAT(ValidateJson("[1,2]", {.max_bytes = 4}), HasReason("INVALID_JSON"));
  EXPECT_OK(ValidateJson("[1,2]", {.max_values = 3}));
  EXPECT_THAT(ValidateJson("[1,2]", {.max_values = 2}), HasReason("INVALID_JSON"));
}

TEST(JsonStringTest, EscapesOnlyWhatMustBe) {
  EXPECT_EQ(JsonString("a\"\\/\n\x01\x1f é"), R"("a\"\\/\n\u0001\u001f é")");
  EXPECT_EQ(JsonString("\xFF"), "\"\uFFFD\"");
  EXPECT_EQ(JsonString(std::string_view("\0", 1)), R"("\u0000")");
}

// Text is looked at eight bytes at a time.
TEST(JsonStringTest, EscapesAtEveryPlace) {
  for (const char* special : {"\"", "\\", "\n", "\x01", "\x1f", "ä", " ", "!"}) {
    const std::string one = JsonString(special);
    const std::string escaped = one.substr(1, one.size() - 2);
    for (size_t before = 0; before < 20; ++before) {
      for (size_t after = 0; after < 20; ++after) {
        EXPECT_EQ(JsonString(std::string(before, 'a') + special + std::string(after, 'b')),
                  "\"" + std::string(before, 'a') + escaped + std::string(after, 'b') + "\"");
      }
    }
  }
  EXPECT_EQ(JsonString("\"\\\n\x01"), R"("\"\\\n\u0001")");
}

}  // namespace
}  // namespace assay::json
