#include "services/judge/core/kinds/cascade_judging.h"

#include <memory>
#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/core/kinds/labelled_cases.h"

namespace assay::judge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CascadeJudgingTest, AsksAsFarAsTheLabelsSay) {
  for (const json::Node& row : LabelledCases("cascade")) {
    SCOPED_TRACE(TextOf(row, "name"));
    const std::vector<json::Node>& stages = row.Find("stages")->children;
    auto definition = std::make_shared<registry::v1::JudgeDefinition>();
    const json::Node* least = row.Find("least");
    for (size_t i = 0; i < stages.size(); ++i) {
      registry::v1::CascadeStage& stage = *definition->mutable_cascade()->add_stages();
      if (least != nullptr && i < least->children.size()) {
        stage.set_least_confidence(*least->children[i].AsDouble());
      }
    }
    JudgingSetup setup;
    setup.definition = definition;
    size_t next = 0;
    ASSAY_ASSERT_OK_AND_ASSIGN(
        const auto judging,
        MakeCascadeJudging(setup, [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
          return std::make_unique<GivenJudging>(VerdictOf(stages[next++]));
        }));
    int asked = 0;
    ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
    EXPECT_EQ(asked, *row.Find("asked")->AsInt64());
    EXPECT_EQ(verdict.feedback.parts_size(), asked);
    EXPECT_EQ(verdict.feedback.provenance().usage().input_tokens(), 10 * asked);
    EXPECT_EQ(verdict.metadata.at("stage"), StrCat(asked));
    EXPECT_EQ(verdict.source.id(), "cascade");
    EXPECT_THAT(verdict.feedback.rationale(),
                HasSubstr(asked > 1 ? "Escalated: stage 1 gave" : ""));
    if (row.Find("error") != nullptr) {
      EXPECT_EQ(verdict.feedback.error().code(), TextOf(row, "error"));
    } else {
      EXPECT_EQ(verdict.feedback.value().json_text(), JsonOf(row, "value"));
    }
  }
}

TEST(CascadeJudgingTest, KeepsWhatEveryStageSaysFurther) {
  auto definition = std::make_shared<registry::v1::JudgeDefinition>();
  definition->mutable_cascade()->add_stages();
  definition->mutable_cascade()->add_stages();
  JudgingSetup setup;
  setup.definition = definition;
  setup.assessment_name = "grounded";
  size_t stage = 0;
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakeCascadeJudging(setup, [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(
            stage++ == 0 ? VerdictWithMore({"grounded", "grounded/precision"})
                         : VerdictWithMore({"grounded/precision", "grounded/stages[0]"}));
      }));
  int asked = 0;
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
  EXPECT_THAT(FurtherNames(verdict),
              ElementsAre("grounded/precision", "grounded/stages[0]", "grounded/stages[0]'",
                          "grounded/stages[0]'/precision"));
  ASSERT_EQ(verdict.feedback.parts_size(), 4);
  EXPECT_EQ(verdict.feedback.parts(2).part(), "stages[0]/guidelines[0]");
  EXPECT_EQ(verdict.feedback.parts(3).part(), "stages[1]/guidelines[0]");
}

TEST(CascadeJudgingTest, EndsWithACallersError) {
  auto definition = std::make_shared<registry::v1::JudgeDefinition>();
  definition->mutable_cascade()->add_stages();
  definition->mutable_cascade()->add_stages();
  JudgingSetup setup;
  setup.definition = definition;
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakeCascadeJudging(setup, [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(absl::CancelledError("gave up"));
      }));
  int asked = 0;
  EXPECT_THAT(DriveGiven(*judging, &asked), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace assay::judge
