#include "services/alignment/core/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/judging/example_text.h"
#include "common/judging/judge_definition.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "services/alignment/testing/planted_world.h"

namespace assay::alignment {
namespace {

class MemoryTest : public testing::Test {
 protected:
  MemoryTest() {
    for (int i = 0; i < 20; ++i) {
      LabelledCase labelled;
      labelled.trace = WorldTrace(i);
      labelled.inputs = StrCat("{\"q\":\"question about topic", i, "\"}");
      labelled.outputs = "\"a\"";
      labelled.value = "\"good\"";
      labelled.key = "good";
      labelled.rationale = StrCat("reason ", i);
      cases_.push_back(labelled);
      embeddings_.push_back(judging::EmbedExample(*labelled.inputs, *labelled.outputs));
      wrong_.push_back(i % 4 == 0);
      all_.push_back(static_cast<size_t>(i));
    }
  }

  std::vector<LabelledCase> cases_;
  std::vector<std::vector<float>> embeddings_;
  std::vector<bool> wrong_;
  std::vector<size_t> all_;
};

TEST_F(MemoryTest, ExamplesKeepWhatPeopleSaid) {
  const ExampleSet set = MakeExamples(cases_, {3, 4}, wrong_, embeddings_, 1 << 20);
  ASSERT_EQ(set.examples.size(), 2u);
  EXPECT_EQ(set.examples[0].trace(), WorldTrace(3));
  EXPECT_EQ(set.examples[0].rationale(), "reason 3");
  EXPECT_FALSE(set.examples[0].judge_was_wrong());
  EXPECT_TRUE(set.examples[1].judge_was_wrong());
  EXPECT_EQ(set.examples[0].embedding_size(), 512);
  EXPECT_EQ(set.left_out, 0u);
}

TEST_F(MemoryTest, CasesThatTheJudgeGotWrongStayWhenRoomIsShort) {
  const size_t one =
      MakeExamples(cases_, {0}, wrong_, embeddings_, 1 << 20).examples[0].ByteSizeLong();
  const ExampleSet set = MakeExamples(cases_, all_, wrong_, embeddings_, 6 * (one + 20));
  EXPECT_EQ(set.examples.size(), 6u);
  EXPECT_EQ(set.left_out, 14u);
  int wrong = 0;
  for (const auto& example : set.examples) wrong += example.judge_was_wrong() ? 1 : 0;
  EXPECT_EQ(wrong, 5);
}

TEST_F(MemoryTest, TheResultIsAValidDefinition) {
  const ExampleSet set = MakeExamples(cases_, all_, wrong_, embeddings_, 1 << 20);
  registry::v1::MemoryGuideline guideline;
  guideline.set_text("Be kind.");
  guideline.add_source_traces(WorldTrace(0));
  const registry::v1::JudgeDefinition aligned =
      WithMemory(WorldJudge(), absl::MakeConstSpan(&guideline, 1), set.examples, 5);
  registry::v1::JudgeDefinition registered = aligned;
  registered.set_model("offline:/lexical");
  EXPECT_THAT(judging::ValidateJudgeDefinition(registered), IsOk());
  EXPECT_EQ(aligned.memory().examples_size(), 20);
  EXPECT_EQ(aligned.memory().retrieved_examples(), 5);
}

TEST_F(MemoryTest, NarrowingKeepsTheNearestOfBothKindsButNeverTheItemItself) {
  const ExampleSet set = MakeExamples(cases_, all_, wrong_, embeddings_, 1 << 20);
  const registry::v1::JudgeDefinition judge = WithMemory(WorldJudge(), {}, set.examples, 3);
  const registry::v1::JudgeDefinition narrowed = NarrowedTo(judge, WorldTrace(7), embeddings_[7]);
  EXPECT_EQ(narrowed.memory().examples_size(), 6);
  int wrong = 0;
  for (const auto& example : narrowed.memory().examples()) {
    EXPECT_NE(example.trace(), WorldTrace(7));
    wrong += example.judge_was_wrong() ? 1 : 0;
  }
  EXPECT_EQ(wrong, 3);
  EXPECT_EQ(narrowed.instructions().instructions(), judge.instructions().instructions());
  EXPECT_EQ(narrowed.model(), judge.model());
}

TEST_F(MemoryTest, NarrowingKeepsABuiltinJudgeAndHowItIsAsked) {
  const ExampleSet set = MakeExamples(cases_, all_, wrong_, embeddings_, 1 << 20);
  registry::v1::JudgeDefinition judge = WorldJudge();
  judge.mutable_builtin()->set_builtin("completeness");
  judge.add_fallback_models("offline:/lexical");
  judge.mutable_confidence()->set_method(common::v1::CONFIDENCE_METHOD_STATED);
  const registry::v1::JudgeDefinition narrowed =
      NarrowedTo(WithMemory(judge, {}, set.examples, 3), WorldTrace(7), embeddings_[7]);
  EXPECT_EQ(narrowed.builtin().builtin(), "completeness");
  EXPECT_EQ(narrowed.fallback_models_size(), 1);
  EXPECT_TRUE(narrowed.has_confidence());
}

TEST_F(MemoryTest, WhatWasLearnedFromTheLabelledTracesIsLeftOut) {
  registry::v1::JudgeDefinition judge = WorldJudge();
  registry::v1::JudgeMemory& memory = *judge.mutable_memory();
  memory.add_guidelines()->set_text("written by hand");
  auto* learned = memory.add_guidelines();
  learned->set_text("learned here");
  learned->add_source_traces(WorldTrace(99));
  learned->add_source_traces(WorldTrace(3));
  auto* elsewhere = memory.add_guidelines();
  elsewhere->set_text("learned elsewhere");
  elsewhere->add_source_traces(WorldTrace(98));
  memory.add_examples()->set_trace(WorldTrace(5));
  memory.add_examples()->set_trace(WorldTrace(97));
  int left_out = 0;
  const registry::v1::JudgeDefinition stripped = WithoutMemoryOf(cases_, judge, &left_out);
  EXPECT_EQ(left_out, 2);
  ASSERT_EQ(stripped.memory().guidelines_size(), 2);
  EXPECT_EQ(stripped.memory().guidelines(1).text(), "learned elsewhere");
  ASSERT_EQ(stripped.memory().examples_size(), 1);
  EXPECT_FALSE(WithoutMemoryOf(cases_, WorldJudge(), &left_out).has_memory());
}

}  // namespace
}  // namespace assay::alignment
