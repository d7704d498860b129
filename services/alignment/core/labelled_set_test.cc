#include "services/alignment/core/labelled_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/alignment/testing/fake_services.h"
#include "services/alignment/testing/planted_world.h"

namespace assay::alignment {
namespace {

using common::v1::SOURCE_KIND_HUMAN;
using common::v1::SOURCE_KIND_LLM_JUDGE;

class LabelledSetTest : public testing::Test {
 protected:
  ~LabelledSetTest() override { executor_.Shutdown(); }

  // A trace with inputs and outputs.
  std::string Trace(int index, const std::string& inputs = "") {
    const std::string name = WorldTrace(index);
    traces_.Add(name, inputs.empty() ? "{\"q\":" + std::to_string(index) + "}" : inputs, "\"a\"");
    return name;
  }

  BuiltLabelledSet Build() {
    Ports ports{.feedback = &feedback_, .trace = &traces_};
    absl::StatusOr<BuiltLabelledSet> built = BuildLabelledSet(query_, ports, {});
    EXPECT_THAT(built, IsOk());
    return *std::move(built);
  }

  static std::map<std::string, std::string> Skipped(const BuiltLabelledSet& built) {
    std::map<std::string, std::string> skipped;
    for (const auto& one : built.summary.skipped()) skipped[one.trace()] = one.reason();
    return skipped;
  }

  ThreadPool executor_{"labels", 2};
  FakeFeedback feedback_{executor_};
  FakeTraces traces_{executor_};
  LabelledSetQuery query_{
      kWorldExperiment, "quality", WorldJudge().value_type(), {.inputs = true, .outputs = true}};
};

TEST_F(LabelledSetTest, TakesEveryLabelledTrace) {
  for (int i = 0; i < 30; ++i) {
    feedback_.Add(Trace(i), SOURCE_KIND_HUMAN, "ann", i % 3 == 0 ? "\"poor\"" : "\"good\"", "why");
  }
  const BuiltLabelledSet built = Build();
  ASSERT_EQ(built.cases.size(), 30u);
  EXPECT_EQ(built.cases[0].rationale, "why");
  EXPECT_EQ(built.cases[0].inputs, "{\"q\":0}");
  EXPECT_EQ(built.summary.labelled_count(), 30);
  EXPECT_EQ(built.summary.label_count(), 30);
  EXPECT_EQ(built.summary.cluster_count(), 30);
  EXPECT_EQ(built.summary.label_rule(), "MAJORITY");
  EXPECT_EQ(built.summary.label_counts().at("poor"), 10);
  EXPECT_EQ(built.summary.skipped_count(), 0);
}

TEST_F(LabelledSetTest, SaysWhyEachTraceWasLeftOut) {
  feedback_.Add(Trace(0), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  feedback_.Add(Trace(1), SOURCE_KIND_LLM_JUDGE, "m", "\"good\"");
  feedback_.Add(Trace(2), SOURCE_KIND_HUMAN, "ann", "\"splendid\"");
  feedback_.Add(WorldTrace(3), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  traces_.Add(WorldTrace(4), "", "\"a\"");
  feedback_.Add(WorldTrace(4), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  traces_.Add(WorldTrace(5), "{}", "");
  feedback_.Add(WorldTrace(5), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  feedback::v1::Assessment no_value;
  no_value.mutable_source()->set_kind(SOURCE_KIND_HUMAN);
  no_value.set_valid(true);
  no_value.mutable_feedback()->set_outcome(common::v1::OUTCOME_ABSTAINED);
  feedback_.AddAssessment(Trace(6), no_value);
  const BuiltLabelledSet built = Build();
  EXPECT_EQ(built.cases.size(), 1u);
  EXPECT_THAT(Skipped(built),
              testing::UnorderedElementsAre(testing::Pair(WorldTrace(1), "NO_HUMAN_FEEDBACK"),
                                            testing::Pair(WorldTrace(2), "VALUE_OUTSIDE_TYPE"),
                                            testing::Pair(WorldTrace(3), "TRACE_NOT_FOUND"),
                                            testing::Pair(WorldTrace(4), "MISSING_INPUTS"),
                                            testing::Pair(WorldTrace(5), "MISSING_OUTPUTS"),
                                            testing::Pair(WorldTrace(6), "NO_HUMAN_FEEDBACK")));
}

TEST_F(LabelledSetTest, ContradictingAnnotatorsOfUnorderedValuesAreLeftOut) {
  query_.value_type.mutable_category_type()->set_ordered(false);
  feedback_.Add(Trace(0), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  feedback_.Add(Trace(0), SOURCE_KIND_HUMAN, "bob", "\"poor\"");
  EXPECT_EQ(Skipped(Build())[WorldTrace(0)], "TIED_LABELS");
}

TEST_F(LabelledSetTest, ContradictingAnnotatorsOfOrderedValuesMeetAtTheWorse) {
  feedback_.Add(Trace(0), SOURCE_KIND_HUMAN, "ann", "\"good\"", "nice");
  feedback_.Add(Trace(0), SOURCE_KIND_HUMAN, "bob", "\"poor\"", "rude");
  const BuiltLabelledSet built = Build();
  ASSERT_EQ(built.cases.size(), 1u);
  EXPECT_EQ(built.cases[0].key, "poor");
  EXPECT_EQ(built.cases[0].rationale, "rude");
  EXPECT_EQ(built.summary.label_count(), 2);
}

TEST_F(LabelledSetTest, ANamedPersonsLatestLabelCounts) {
  feedback_.Add(Trace(0), SOURCE_KIND_HUMAN, "ann", "\"poor\"");
  feedback_.Add(Trace(0), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  feedback_.Add(Trace(1), SOURCE_KIND_HUMAN, "default", "\"good\"");
  feedback_.Add(Trace(1), SOURCE_KIND_HUMAN, "default", "\"good\"");
  const BuiltLabelledSet built = Build();
  EXPECT_EQ(built.cases[0].key, "good");
  EXPECT_EQ(built.cases[0].labels.size(), 1u);
  EXPECT_EQ(built.cases[1].labels.size(), 2u);
}

TEST_F(LabelledSetTest, InvalidLabelsAndLabelsOfSpansDoNotCount) {
  feedback::v1::Assessment overridden;
  overridden.mutable_source()->set_kind(SOURCE_KIND_HUMAN);
  overridden.mutable_feedback()->mutable_value()->set_json_text("\"poor\"");
  feedback_.AddAssessment(Trace(0), overridden);
  feedback::v1::Assessment of_span = overridden;
  of_span.set_valid(true);
  of_span.mutable_target()->set_span_id("0123456789abcdef");
  feedback_.AddAssessment(WorldTrace(0), of_span);
  feedback_.Add(WorldTrace(0), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  EXPECT_EQ(Build().cases[0].key, "good");
}

TEST_F(LabelledSetTest, EqualInputsAreOneCluster) {
  feedback_.Add(Trace(0, "{\"a\":1,\"b\":2}"), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  feedback_.Add(Trace(1, "{\"b\": 2.0, \"a\": 1}"), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  feedback_.Add(Trace(2, "{\"a\":1}"), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  EXPECT_EQ(Build().summary.cluster_count(), 2);
}

TEST_F(LabelledSetTest, TooFewLabelsSaysHowManyAndWhy) {
  for (int i = 0; i < 5; ++i) feedback_.Add(Trace(i), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  for (int i = 5; i < 305; ++i) feedback_.Add(Trace(i), SOURCE_KIND_LLM_JUDGE, "m", "\"good\"");
  const BuiltLabelledSet built = Build();
  EXPECT_EQ(built.summary.skipped_size(), 200);
  const absl::Status refused = CheckEnoughLabels(built.summary, 10);
  EXPECT_THAT(refused, HasReason("TOO_FEW_LABELS"));
  EXPECT_EQ(ErrorMetadata(refused, "labelled_count"), "5");
  EXPECT_EQ(ErrorMetadata(refused, "minimum_labels"), "10");
  EXPECT_EQ(ErrorMetadata(refused, "skipped_count"), "300");
  const std::string message(refused.message());
  EXPECT_THAT(message, testing::HasSubstr(WorldTrace(5) + " (NO_HUMAN_FEEDBACK)"));
  EXPECT_THAT(message, testing::HasSubstr(" more"));
  EXPECT_LT(message.size(), 2'000u);
}

TEST_F(LabelledSetTest, OneClusterCannotBeHeldOut) {
  for (int i = 0; i < 12; ++i) feedback_.Add(Trace(i, "{}"), SOURCE_KIND_HUMAN, "ann", "\"good\"");
  EXPECT_THAT(CheckEnoughLabels(Build().summary, 10), HasReason("TOO_FEW_CLUSTERS"));
}

}  // namespace
}  // namespace assay::alignment
