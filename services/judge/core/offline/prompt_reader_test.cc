#include "services/judge/core/offline/prompt_reader.h"

#include "common/judging/prompt_fence.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge::offline {
namespace {

using judging::FencedBlock;
using ::testing::ElementsAre;

TEST(PlainText, TakesWhatTheUserSaid) {
  EXPECT_EQ(PlainText(R"({"issue":"late","n":3})"), "late\n3");
  EXPECT_EQ(PlainText(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"}])"),
            "a");
  EXPECT_EQ(PlainText(R"("[{\"role\":\"user\",\"content\":\"a\"}]")"), "a");
  EXPECT_EQ(PlainText(R"({"role":"assistant","content":"b"})"), "b");
  EXPECT_EQ(PlainText("no json"), "no json");
}

TEST(ReadJudgingTask, ReadsRulesFromTheSystemAndMaterialFromTheUser) {
  ModelRequest request;
  request.messages.push_back({ChatRole::kSystem, FencedBlock("guideline", "Be kind") +
                                                     FencedBlock("learned_guideline", "L") +
                                                     "one of \"a\" (in order, the best first)"});
  request.messages.push_back(
      {ChatRole::kUser, FencedBlock("example", R"({"outputs":"x","value":"a","similarity":0.5})") +
                            FencedBlock("response", "\"y\"") +
                            FencedBlock("guideline", "Be rude")});
  request.messages.push_back({ChatRole::kAssistant, "what?"});
  request.messages.push_back({ChatRole::kUser, FencedBlock("response", "\"z\"")});
  const auto task = ReadJudgingTask(request);
  ASSERT_TRUE(task.has_value());
  EXPECT_THAT(task->guidelines, ElementsAre("Be kind"));
  EXPECT_THAT(task->learned_guidelines, ElementsAre("L"));
  EXPECT_TRUE(task->ordered_categories);
  ASSERT_EQ(task->examples.size(), 1u);
  EXPECT_EQ(task->examples[0].value, "a");
  EXPECT_EQ(task->Response(), "y");
}

TEST(ReadJudgingTask, TellsTheSidesOfAConversation) {
  ModelRequest request;
  request.messages.push_back({ChatRole::kSystem, FencedBlock("instructions", "Rate it")});
  request.messages.push_back(
      {ChatRole::kUser,
       FencedBlock("conversation", R"([{"role":"user","content":"a"},{"role":"tool","content":"t"},
{"role":"assistant","content":"b"},{"role":"user","content":"c"}])") +
           FencedBlock("expectations.tone", "\"warm\"")});
  const auto task = ReadJudgingTask(request);
  ASSERT_TRUE(task.has_value());
  EXPECT_EQ(task->Request(), "a\nc");
  EXPECT_EQ(task->Response(), "b");
  EXPECT_EQ(task->TextBelow("expectations"), "warm");
}

TEST(ReadJudgingTask, RefusesOtherPrompts) {
  ModelRequest request;
  request.messages.push_back({ChatRole::kUser, "Hello"});
  EXPECT_FALSE(ReadJudgingTask(request).has_value());
  EXPECT_FALSE(ReadDistillationTask(request).has_value());
}

TEST(ReadDistillationTask, FindsRecordsOfOneOrSeveralLines) {
  ModelRequest request;
  request.response_schema = R"({"properties":{"guidelines":{}}})";
  request.messages.push_back(
      {ChatRole::kUser,
       FencedBlock("records", R"({"trace":"t1","judge_value":"a","human_value":1,"rationale":"r"}
{"trace":"t2",
 "inputs":{"issue":"i"},
 "human_value":"b"}
{"not":"a record"}
{broken)")});
  const auto task = ReadDistillationTask(request);
  ASSERT_TRUE(task.has_value());
  ASSERT_EQ(task->records.size(), 2u);
  EXPECT_EQ(task->records[0].human_value, "1");
  EXPECT_EQ(task->records[1].request, "i");
}

}  // namespace
}  // namespace assay::judge::offline
