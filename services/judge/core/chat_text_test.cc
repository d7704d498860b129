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

TEST(RequestOf, ReadsTheUsualForms) {
  for (
      const char* json : {
          R"({"contents":[{"role":"user","parts":[{"text":"How much?"}]}],"model":"m"})",
          R"({"model":"m","input":"How much?"})",
          R"({"model":"m","instructions":"Be brief","input":[{"role":"user","content":"How much?"}]})",
          R"({"model":"m","system":"Be brief","messages":[{"role":"user","content":[{"type":"text","text":"How much?"}]}]})",
          R"({"messages":[{"type":"human","content":"How much?"}]})",
          R"({"messages":[{"role":"user","parts":[{"type":"text","text":"How much?"}]}]})",
      }) {
    EXPECT_EQ(RequestOf(json), R"("How much?")") << json;
  }
}

TEST(UserTextOf, TakesWhatTheUserSaidLast) {
  EXPECT_EQ(UserTextOf(R"({"messages":[{"role":"user","content":"a"},)"
                       R"({"role":"assistant","content":"b"},{"role":"user","content":"c"},)"
                       R"({"role":"tool","content":"d"}]})"),
            "c");
  EXPECT_EQ(UserTextOf(R"("plain")"), "plain");
  EXPECT_EQ(UserTextOf(R"({"issue":"x"})"), R"({"issue":"x"})");
  for (const char* blank : {"null", R"("")", R"(" \n")"}) EXPECT_EQ(UserTextOf(blank), "");
}

TEST(AssistantTextOf, IsPlainText) {
  EXPECT_EQ(AssistantTextOf(R"({"choices":[{"message":{"content":"hi"}}]})"), "hi");
  EXPECT_EQ(AssistantTextOf(R"({"answer":1})"), R"({"answer":1})");
  EXPECT_EQ(AssistantTextOf("null"), "");
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
      R"({"choices":[{"text":"answer"}]})",
      R"({"output_text":"answer","output":[]})",
      R"({"candidates":[{"content":{"role":"model","parts":[{"text":"answer"}]}}]})",
      R"({"output":{"message":{"role":"assistant","content":[{"text":"answer"}]}}})",
      R"({"generations":[[{"text":"answer"}]]})",
      R"({"type":"ai","content":"answer","id":"x"})",
      R"({"messages":[{"type":"human","content":"q"},{"type":"ai","content":"answer"}]})",
      R"({"text":"answer","finishReason":"stop"})",
      R"({"id":"m","role":"assistant","parts":[{"type":"text","text":"answer"}]})",
      R"([{"type":"function_call","name":"f"},{"role":"assistant","content":"answer"}])",
  };
  for (const char* json : cases) EXPECT_EQ(ResponseOf(json), R"("answer")") << json;
}

TEST(ResponseOf, LeavesTheRestAsItIs) {
  for (const char* json :
       {R"({"response":"x"})", "null", "[]", "3", R"({"choices":[]})", R"({"content":"x"})",
        R"({"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]}}]})",
        R"({"text":"x","other":1})", R"({"candidates":[{"name":"Ann"}]})",
        R"({"output":{"answer":"x"}})", R"({"type":"ai","score":1})"}) {
    EXPECT_EQ(ResponseOf(json), json);
  }
}

}  // namespace
}  // namespace assay::judge
