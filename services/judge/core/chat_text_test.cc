#include "services/judge/core/chat_text.h"

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

TEST(RequestOf, TakesTheContentOfASingleMessage) {
  EXPECT_EQ(RequestOf(R"({"messages":[{"role":"user","content":"How much?"}]})"), R"("How much?")");
  EXPECT_EQ(
      RequestOf(
          R"([{"role":"user","content":[{"type":"text","text":"How"},{"type":"text","text":"much?"}]}])"),
      R"("How\nmuch?")");
}

TEST(RequestOf, KeepsAConversationAsAList) {
  EXPECT_EQ(
      RequestOf(
          R"({"messages":[{"role":"user","content":"a","x":1},{"role":"assistant","content":"b"}],"k":2})"),
      R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"}])");
}

TEST(RequestOf, LeavesTheRestAsItIs) {
  for (const char* json :
       {R"("plain")", R"({"issue":"x"})", "null", R"({"messages":[]})", R"({"messages":[1]})"}) {
    EXPECT_EQ(RequestOf(json), json);
  }
}

TEST(ResponseOf, ReadsTheUsualForms) {
  const char* cases[] = {
      R"("answer")",
      R"(["answer"])",
      R"({"choices":[{"message":{"role":"assistant","content":"answer"}}]})",
      R"([{"choices":[{"message":{"role":"assistant","content":[{"type":"text","text":"answer"}]}}]}])",
      R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"answer"}]})",
      R"([{"role":"user","content":"q"},{"role":"assistant","content":"answer"}])",
      R"({"output":[{"type":"reasoning"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"answer"}]}]})",
      R"({"type":"message","role":"assistant","content":[{"type":"text","text":"answer"}]})",
      R"({"content":[{"type":"text","text":"answer"}]})",
      R"({"role":"assistant","content":"answer"})",
  };
  for (const char* json : cases) EXPECT_EQ(ResponseOf(json), R"("answer")") << json;
}

TEST(ResponseOf, LeavesTheRestAsItIs) {
  for (const char* json :
       {R"({"response":"x"})", "null", "[]", "3", R"({"choices":[]})", R"({"content":"x"})"}) {
    EXPECT_EQ(ResponseOf(json), json);
  }
}

}  // namespace
}  // namespace assay::judge
