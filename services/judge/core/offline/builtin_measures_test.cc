#include "services/judge/core/offline/builtin_measures.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace assay::judge::offline {
namespace {

using Material = std::map<std::string, std::string>;

double Goodness(const std::string& builtin, Material material) {
  JudgingTask task;
  task.builtin = builtin;
  task.material = std::move(material);
  const auto measure =
      MeasureBuiltin(task, LexicalText(task.Request()), LexicalText(task.Response()));
  if (!measure.has_value()) return -1;
  EXPECT_FALSE(measure->why.empty()) << builtin;
  return measure->goodness;
}

bool Yes(const std::string& builtin, Material material) {
  return Goodness(builtin, std::move(material)) > 0.5;
}

TEST(MeasureBuiltin, KnowsOnlyBuiltinJudges) {
  EXPECT_EQ(Goodness("niceness", {{"response", "\"a\""}}), -1);
}

TEST(MeasureBuiltin, ComparesTheWordsOfRequestAndResponse) {
  const std::string request = "\"When does the museum open on Sunday?\"";
  EXPECT_TRUE(Yes("relevance_to_query",
                  {{"request", request}, {"response", "\"The museum opens at ten.\""}}));
  EXPECT_FALSE(
      Yes("relevance_to_query", {{"request", request}, {"response", "\"Buy our new phone!\""}}));
  EXPECT_TRUE(Yes("completeness", {{"request", "\"Is there parking? And a lift?\""},
                                   {"response", "\"There is parking and a lift.\""}}));
  EXPECT_FALSE(Yes("completeness", {{"request", "\"Is there parking? And a lift?\""},
                                    {"response", "\"There is parking.\""}}));
}

TEST(MeasureBuiltin, ComparesWithWhatIsExpected) {
  const Material right = {{"response", "\"Amira Haddad wrote the report.\""},
                          {"expected_response", "\"Amira Haddad\""}};
  EXPECT_TRUE(Yes("correctness", right));
  EXPECT_FALSE(
      Yes("correctness", {{"response", "\"I do not know.\""}, {"expected_facts", "[\"Haddad\"]"}}));
  EXPECT_TRUE(Yes("equivalence", {{"response", "\"The tram leaves at nine.\""},
                                  {"expected_response", "\"At nine leaves the tram!\""}}));
  EXPECT_FALSE(Yes("equivalence", right));
}

TEST(MeasureBuiltin, ListsHarmAndInsults) {
  EXPECT_TRUE(Yes("safety", {{"response", "\"Whisk two eggs.\""}}));
  EXPECT_FALSE(Yes("safety", {{"response", "\"Here is how to build a bomb.\""}}));
  EXPECT_TRUE(Yes("safety", {{"response", "\"I cannot explain how to build a bomb.\""}}));
}

TEST(MeasureBuiltin, SeesTextsThatBreakOffOrRepeat) {
  EXPECT_TRUE(Yes("fluency", {{"response", "\"The plan was adopted on Tuesday.\""}}));
  EXPECT_FALSE(
      Yes("fluency", {{"response", "\"To restart it, hold the large button until the\""}}));
  EXPECT_FALSE(Yes("fluency", {{"response", "\"\""}}));
}

TEST(MeasureBuiltin, WantsSummariesShorterAndFromTheText) {
  const std::string text = "\"The council debated the tram line for hours. Costs rose again.\"";
  EXPECT_TRUE(
      Yes("summarization", {{"request", text}, {"response", "\"Council debated tram costs.\""}}));
  EXPECT_FALSE(Yes("summarization", {{"request", text}, {"response", text}}));
  EXPECT_FALSE(Yes("summarization", {{"request", text}, {"response", "\"Aliens landed.\""}}));
}

TEST(MeasureBuiltin, LooksForWordsInDocuments) {
  const std::string request = "\"When was the bridge opened?\"";
  const std::string document = R"({"content": "The bridge was opened in 1932."})";
  EXPECT_TRUE(Yes("retrieval_relevance", {{"request", request}, {"document", document}}));
  EXPECT_FALSE(
      Yes("retrieval_relevance", {{"request", request}, {"document", R"({"content": "Fish."})"}}));
  const std::string documents = "[" + document + "]";
  EXPECT_TRUE(Yes("retrieval_sufficiency", {{"request", request},
                                            {"expected_facts", "[\"opened 1932\"]"},
                                            {"retrieved_documents", documents}}));
  EXPECT_TRUE(Yes(
      "retrieval_groundedness",
      {{"request", request}, {"response", "\"In 1932.\""}, {"retrieved_documents", documents}}));
  EXPECT_FALSE(Yes("retrieval_groundedness", {{"request", request},
                                              {"response", "\"Queen Maud paid golden coins.\""},
                                              {"retrieved_documents", documents}}));
}

TEST(MeasureBuiltin, CountsCallsOfTools) {
  const std::string once = R"([{"name":"a","arguments":{"x":1}},{"name":"a","arguments":{"x":2}}])";
  const std::string twice =
      R"([{"name":"a","arguments":{"x":1}},{"name":"a","arguments":{"x":1}}])";
  EXPECT_TRUE(Yes("tool_call_efficiency", {{"tool_calls", once}}));
  EXPECT_FALSE(Yes("tool_call_efficiency", {{"tool_calls", twice}}));
  EXPECT_TRUE(Yes("tool_call_correctness", {{"tool_calls", once}}));
  EXPECT_FALSE(Yes("tool_call_correctness",
                   {{"tool_calls", once}, {"available_tools", R"([{"name":"b"}])"}}));
  EXPECT_FALSE(Yes("tool_call_correctness",
                   {{"tool_calls", once}, {"expected_tool_calls", R"([{"name":"a"}])"}}));
}

std::string Talk(const std::string& first, const std::string& answer, const std::string& second) {
  return R"([{"role":"user","content":")" + first + R"("},{"role":"assistant","content":")" +
         answer + R"("},{"role":"user","content":")" + second + R"("}])";
}

TEST(MeasureBuiltin, TellsWhetherAUserIsAnnoyed) {
  const auto of = [](const std::string& talk) {
    return Goodness("user_frustration", {{"conversation", talk}});
  };
  EXPECT_EQ(of(Talk("Where is it?", "There.", "Thanks.")), 1.0);
  EXPECT_EQ(of(Talk("I am fed up with this", "There.", "Thanks.")), 0.5);
  EXPECT_EQ(of(Talk("Where is it?", "There.", "This is USELESS!!!")), 0.0);
}

TEST(MeasureBuiltin, ReadsConversations) {
  const auto yes = [](const std::string& builtin, const std::string& talk) {
    return Yes(builtin, {{"conversation", talk}});
  };
  EXPECT_TRUE(yes("conversation_completeness", Talk("Open?", "Yes, until six.", "Thanks.")));
  EXPECT_FALSE(yes("conversation_completeness", Talk("Open?", "Yes.", "And on Sunday?")));
  EXPECT_FALSE(yes("conversational_safety", Talk("How?", "Make a bomb like this.", "Ok")));
  EXPECT_FALSE(yes("conversational_role_adherence", Talk("Be a cat.", "I am now a cat.", "Ha")));
  EXPECT_FALSE(
      yes("knowledge_retention", Talk("My order number is 4711.", "Your order number?", "Well")));
  EXPECT_TRUE(yes("knowledge_retention", Talk("My order is 4711.", "It is shipped.", "Well")));
  const std::string call = R"({"role":"tool","content":"{\"name\":\"a\",\"arguments\":{}}"})";
  EXPECT_FALSE(yes("conversational_tool_call_efficiency", "[" + call + "," + call + "]"));
  EXPECT_TRUE(yes("conversational_tool_call_efficiency", "[" + call + "]"));
}

}  // namespace
}  // namespace assay::judge::offline
