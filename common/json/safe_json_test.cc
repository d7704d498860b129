#include "common/json/safe_json.h"

#include <optional>
#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::json {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(ParseJsonTest, KeepsOrderAndNumbers) {
  const std::string text = R"({"z":1.10,"a":[true,null,"x\n"],"n":12345678901234567890123,"e":{}})";
  ASSAY_ASSERT_OK_AND_ASSIGN(const Node root, ParseJson(text));
  EXPECT_EQ(root.ToJson(), text);
  EXPECT_EQ(root.children[0].key, "z");
  EXPECT_EQ(root.Find("a")->children.size(), 3u);
  EXPECT_EQ(root.Find("missing"), nullptr);
  EXPECT_EQ(root.Find("a")->Find("x"), nullptr);
}

TEST(ParseJsonTest, ReadsScalars) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const Node root,
      ParseJson(R"([1, -9223372036854775808, 9223372036854775808, 1e3, 1.5, true, "s", 1e999,
                                     1e-999])"));
  EXPECT_THAT(root.children[0].AsInt64(), Optional(1));
  EXPECT_THAT(root.children[1].AsInt64(), Optional(INT64_MIN));
  EXPECT_EQ(root.children[2].AsInt64(), std::nullopt);
  EXPECT_THAT(root.children[2].AsDouble(), Optional(9223372036854775808.0));
  EXPECT_THAT(root.children[3].AsInt64(), Optional(1000));
  EXPECT_EQ(root.children[4].AsInt64(), std::nullopt);
  EXPECT_THAT(root.children[4].AsDouble(), Optional(1.5));
  EXPECT_THAT(root.children[5].AsBool(), Optional(true));
  EXPECT_THAT(root.children[6].AsString(), Optional(Eq("s")));
  EXPECT_EQ(root.children[6].AsDouble(), std::nullopt);
  EXPECT_EQ(root.children[7].AsDouble(), std::nullopt);
  EXPECT_THAT(root.children[8].AsDouble(), Optional(0.0));
}

TEST(JsonPathTextTest, FollowsNamesAndIndexes) {
  const std::string text =
      R"({"outputs": {"message": "hi \"you\"", "n": 1.50, "list": [1, {"x": [2, 3]}], "my key": true},
          "none": null})";
  const auto at = [&](std::string_view path) { return JsonPathText(text, path).value(); };
  EXPECT_THAT(at("outputs.message"), Optional(Eq("hi \"you\"")));
  EXPECT_THAT(at("outputs.n"), Optional(Eq("1.50")));
  EXPECT_THAT(at("outputs.list[1].x[0]"), Optional(Eq("2")));
  EXPECT_THAT(at("outputs.list[-1].x"), Optional(Eq("[2,3]")));
  EXPECT_THAT(at("outputs.`my key`"), Optional(Eq("true")));
  EXPECT_THAT(at("none"), Optional(Eq("null")));
  EXPECT_EQ(at("outputs.missing.deeper"), std::nullopt);
  EXPECT_EQ(at("outputs.list[2]"), std::nullopt);
  EXPECT_EQ(at("outputs.list[-3]"), std::nullopt);
  EXPECT_EQ(at("outputs[0]"), std::nullopt);
  EXPECT_THAT(JsonPathText("\"whole\"", "").value(), Optional(Eq("whole")));
  EXPECT_THAT(JsonPathText("[7]", "[0]").value(), Optional(Eq("7")));
}

TEST(JsonPathTextTest, RefusesBadPathsAndBadJson) {
  for (const std::string_view path : {".", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a[1", "a]",
                                      "a`b`", "`a", "a[1]b", "a[99999999999999999999]"}) {
    EXPECT_THAT(JsonPathText("{}", path), HasReason("INVALID_JSON_PATH")) << path;
  }
  EXPECT_THAT(JsonPathText("{", "a"), HasReason("INVALID_JSON"));
}

TEST(PrettyJsonTest, IndentsByTwo) {
  EXPECT_THAT(PrettyJson(R"({"b":[1.0,{}],"a":{"x":"y"},"e":[]})"), IsOkAndHolds(Eq(R"({
  "b": [
    1.0,
    {}
  ],
  "a": {
    "x": "y"
  },
  "e": []
})")));
  EXPECT_THAT(PrettyJson(" 1 "), IsOkAndHolds("1"));
  EXPECT_THAT(PrettyJson("[[],[]]"), IsOkAndHolds("[\n  [],\n  []\n]"));
  EXPECT_THAT(PrettyJson("{"), HasReason("INVALID_JSON"));
}

}  // namespace
}  // namespace assay::json
