#include "services/alignment/core/options.h"

#include <gtest/gtest.h>

#include "common/status/status_matchers.h"

namespace assay::alignment {
namespace {

registry::v1::JudgeDefinition Instructions(const std::string& text) {
  registry::v1::JudgeDefinition judge;
  judge.mutable_instructions()->set_instructions(text);
  judge.set_model("offline:/lexical");
  return judge;
}

TEST(OptionsTest, FillsInDefaults) {
  const absl::StatusOr<v1::AlignmentOptions> options =
      EffectiveOptions({}, Instructions("{{ outputs }}"));
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->seed(), 42);
  EXPECT_EQ(options->minimum_labels(), 10);
  EXPECT_EQ(options->folds(), 5);
  EXPECT_EQ(options->maximum_guidelines(), 20);
  EXPECT_EQ(options->retrieved_examples(), 5);
  EXPECT_EQ(options->parallelism(), 16);
  EXPECT_EQ(options->reflection_model(), "offline:/lexical");
}

TEST(OptionsTest, NamesEveryFieldThatIsOutOfBounds) {
  v1::AlignmentOptions requested;
  requested.set_minimum_labels(3);
  requested.set_folds(21);
  requested.set_parallelism(-1);
  requested.set_reflection_model("nonsense");
  const auto options = EffectiveOptions(requested, Instructions("{{ outputs }}"));
  for (const char* field : {"minimum_labels", "folds", "parallelism", "reflection_model"}) {
    EXPECT_THAT(options, HasFieldViolation(std::string("options.") + field));
  }
}

TEST(OptionsTest, TellsWhatAJudgeNeeds) {
  const NeededFields fields = *FieldsNeededBy(Instructions("{{ outputs }} {{ trace }}"), "r");
  EXPECT_FALSE(fields.inputs);
  EXPECT_TRUE(fields.outputs);
  registry::v1::JudgeDefinition guidelines;
  guidelines.mutable_guidelines()->add_guidelines("Be polite.");
  EXPECT_TRUE(FieldsNeededBy(guidelines, "r")->inputs);
  (*guidelines.mutable_guidelines()->mutable_context())["policies"] = "outputs.policies";
  EXPECT_FALSE(FieldsNeededBy(guidelines, "r")->inputs);
}

TEST(OptionsTest, RefusesJudgesThatNeedMoreThanATraceHolds) {
  EXPECT_THAT(FieldsNeededBy(Instructions("{{ outputs }} {{ expectations }}"), "r"),
              HasReason("JUDGE_NOT_ALIGNABLE"));
  registry::v1::JudgeDefinition per_row;
  per_row.mutable_guidelines()->set_per_row(true);
  EXPECT_THAT(FieldsNeededBy(per_row, "r"), HasReason("JUDGE_NOT_ALIGNABLE"));
}

TEST(FieldsNeededBy, FollowsPathsAndNamedInputs) {
  registry::v1::JudgeDefinition judge = Instructions("{{ policies }}");
  (*judge.mutable_instructions()->mutable_named_inputs())["policies"] = "outputs.policies[0]";
  EXPECT_TRUE(FieldsNeededBy(judge, "r")->outputs);
  EXPECT_FALSE(FieldsNeededBy(judge, "r")->inputs);
  EXPECT_TRUE(FieldsNeededBy(Instructions("{{ inputs.messages[0] }}"), "r")->inputs);
  (*judge.mutable_instructions()->mutable_named_inputs())["policies"] = "expectations.policies";
  EXPECT_THAT(FieldsNeededBy(judge, "r"), HasReason("JUDGE_NOT_ALIGNABLE"));
}

TEST(FieldsNeededBy, RefusesJudgesOfSessionsAndThoseWithoutMemory) {
  EXPECT_THAT(FieldsNeededBy(Instructions("{{ conversation }}"), "r"),
              HasReason("JUDGE_NOT_ALIGNABLE"));
  registry::v1::JudgeDefinition judge;
  judge.mutable_guidelines()->set_conversation(true);
  EXPECT_THAT(FieldsNeededBy(judge, "r"), HasReason("JUDGE_NOT_ALIGNABLE"));
  judge.mutable_builtin()->set_builtin("user_frustration");
  EXPECT_THAT(FieldsNeededBy(judge, "r"), HasReason("JUDGE_NOT_ALIGNABLE"));
  judge.mutable_builtin()->set_builtin("fluency");
  EXPECT_OK(FieldsNeededBy(judge, "r"));
  judge.mutable_code()->mutable_exact();
  EXPECT_THAT(FieldsNeededBy(judge, "r"), HasReason("JUDGE_NOT_ALIGNABLE"));
}

}  // namespace
}  // namespace assay::alignment
