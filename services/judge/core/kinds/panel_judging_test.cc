#include "services/judge/core/kinds/panel_judging.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/core/composed_judging.h"
#include "services/judge/core/kinds/labelled_cases.h"

namespace assay::judge {
namespace {

using registry::v1::PanelJudge;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A panel of instructions judges with the types of a row.
std::shared_ptr<registry::v1::JudgeDefinition> PanelOf(const json::Node& row) {
  auto definition = std::make_shared<registry::v1::JudgeDefinition>();
  PanelJudge& panel = *definition->mutable_panel();
  PanelJudge::Aggregation aggregation = PanelJudge::AGGREGATION_UNSPECIFIED;
  EXPECT_TRUE(PanelJudge::Aggregation_Parse(TextOf(row, "aggregation"), &aggregation));
  panel.set_aggregation(aggregation);
  if (const json::Node* quorum = row.Find("quorum")) {
    panel.set_quorum(static_cast<int>(*quorum->AsInt64()));
  }
  const json::Node* weights = row.Find("weights");
  for (const json::Node& type : row.Find("types")->children) {
    registry::v1::PanelMember& member = *panel.add_members();
    *member.mutable_judge()->mutable_value_type() = MessageOf<common::v1::ValueType>(type);
    member.mutable_judge()->mutable_instructions()->set_instructions("{{ outputs }}");
    if (weights != nullptr) {
      member.set_weight(
          *weights->children[static_cast<size_t>(panel.members_size() - 1)].AsDouble());
    }
  }
  return definition;
}

TEST(PanelJudgingTest, GivesTheLabelledValues) {
  for (const json::Node& row : LabelledCases("panel")) {
    SCOPED_TRACE(TextOf(row, "name"));
    JudgingSetup setup;
    setup.definition = PanelOf(row);
    const std::vector<json::Node>& given = row.Find("verdicts")->children;
    size_t next = 0;
    ASSAY_ASSERT_OK_AND_ASSIGN(
        const std::unique_ptr<Judging> judging,
        MakePanelJudging(setup, [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
          return std::make_unique<GivenJudging>(VerdictOf(given[next++]));
        }));
    int asked = 0;
    ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
    const common::v1::Feedback& feedback = verdict.feedback;
    EXPECT_EQ(asked, static_cast<int>(given.size()));
    EXPECT_EQ(feedback.parts_size(), asked);
    EXPECT_EQ(feedback.provenance().usage().input_tokens(), 10 * asked);
    EXPECT_THAT(feedback.rationale(), HasSubstr(TextOf(row, "why")));
    if (row.Find("error") != nullptr) {
      EXPECT_EQ(feedback.outcome(), common::v1::OUTCOME_ERROR);
      EXPECT_EQ(feedback.error().code(), TextOf(row, "error"));
      EXPECT_FALSE(feedback.has_value());
      continue;
    }
    EXPECT_EQ(feedback.outcome(), common::v1::OUTCOME_VALUE);
    EXPECT_EQ(feedback.value().json_text(), JsonOf(row, "value"));
    ASSERT_EQ(feedback.has_confidence(), row.Find("confidence") != nullptr);
    if (feedback.has_confidence()) {
      EXPECT_NEAR(feedback.confidence().value(), *row.Find("confidence")->AsDouble(), 1e-9);
      EXPECT_EQ(feedback.confidence().method(), common::v1::CONFIDENCE_METHOD_VOTE_SHARE);
      EXPECT_EQ(feedback.confidence().samples(), asked);
    }
  }
}

class PanelTest : public testing::Test {
 protected:
  PanelTest() {
    definition_->set_model("fake:/panel");
    PanelJudge& panel = *definition_->mutable_panel();
    panel.set_aggregation(PanelJudge::AGGREGATION_MAJORITY);
    for (int i = 0; i < 3; ++i) {
      panel.add_members()->mutable_judge()->mutable_value_type()->mutable_bool_type();
    }
    panel.mutable_members(2)->mutable_judge()->set_model("fake:/other");
    panel.mutable_members(2)->set_label("the other one");
  }

  JudgingSetup SetupOf() const {
    JudgingSetup setup;
    setup.definition = definition_;
    setup.default_model = "fake:/default";
    setup.idempotency_key = "key";
    return setup;
  }

  std::shared_ptr<registry::v1::JudgeDefinition> definition_ =
      std::make_shared<registry::v1::JudgeDefinition>();
};

TEST_F(PanelTest, AsksEachMemberForItself) {
  std::vector<JudgingSetup> asked;
  ASSERT_OK(MakePanelJudging(SetupOf(), [&](const JudgingSetup& part) -> std::unique_ptr<Judging> {
    asked.push_back(part);
    return std::make_unique<GivenJudging>(JudgeVerdict{});
  }));
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(*asked[0].ModelUri(), "fake:/panel") << "a member without a model has the panel's";
  EXPECT_EQ(*asked[2].ModelUri(), "fake:/other");
  EXPECT_EQ(asked[0].sample, 0);
  EXPECT_EQ(asked[1].sample, 1) << "the same question again shares no answer";
  EXPECT_EQ(asked[2].sample, 0);
  const std::set<std::string> keys = {asked[0].idempotency_key, asked[1].idempotency_key,
                                      asked[2].idempotency_key};
  EXPECT_EQ(keys.size(), 3u);
}

TEST_F(PanelTest, NamesItsParts) {
  const json::Node row = *json::ParseJson(R"({"value":true})");
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakePanelJudging(SetupOf(), [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(VerdictOf(row));
      }));
  int asked = 0;
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
  EXPECT_EQ(verdict.feedback.parts(0).part(), "members[0] fake:/model");
  EXPECT_EQ(verdict.feedback.parts(2).part(), "the other one");
  EXPECT_EQ(verdict.feedback.parts(0).weight(), 1);
  EXPECT_EQ(verdict.source.kind(), common::v1::SOURCE_KIND_LLM_JUDGE);
  EXPECT_EQ(verdict.source.id(), "panel");
  EXPECT_THAT(verdict.feedback.rationale(), HasSubstr("- the other one: true. its reasons"));
}

TEST_F(PanelTest, KeepsWhatItsMembersSayFurther) {
  definition_->mutable_panel()->mutable_members(1)->set_label("strict");
  JudgingSetup setup = SetupOf();
  setup.assessment_name = "grounded";
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakePanelJudging(setup, [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(
            VerdictWithMore({"grounded", "grounded", "grounded/precision"}));
      }));
  int asked = 0;
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
  EXPECT_THAT(FurtherNames(verdict),
              ElementsAre("grounded/members[0]", "grounded/members[0]",
                          "grounded/members[0]/precision", "grounded/strict", "grounded/strict",
                          "grounded/strict/precision", "grounded/the other one",
                          "grounded/the other one", "grounded/the other one/precision"));
  EXPECT_EQ(verdict.additional[0].span_id, "00000000000000ab");
  ASSERT_EQ(verdict.feedback.parts_size(), 6);
  EXPECT_EQ(verdict.feedback.parts(3).part(), "members[0]/guidelines[0]");
  EXPECT_EQ(verdict.feedback.parts(4).part(), "strict/guidelines[0]");
}

TEST_F(PanelTest, LabelsThatMightMeetGiveWayToNumbers) {
  definition_->mutable_panel()->mutable_members(0)->set_label("a/b");
  definition_->mutable_panel()->mutable_members(1)->set_label("members[0]");
  *definition_->mutable_panel()->add_members() = definition_->panel().members(2);
  JudgingSetup setup = SetupOf();
  setup.assessment_name = "g";
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakePanelJudging(setup, [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(VerdictWithMore({"g"}));
      }));
  int asked = 0;
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
  EXPECT_THAT(FurtherNames(verdict),
              ElementsAre("g/members[0]", "g/members[1]", "g/members[2]", "g/members[3]"));
}

TEST_F(PanelTest, BoundsWhatItsMembersSayFurther) {
  definition_->mutable_panel()->mutable_members(1)->set_label(std::string(240, 'x'));
  JudgingSetup setup = SetupOf();
  setup.assessment_name = "grounded";
  const std::vector<std::string> names(500, "grounded/precision");
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakePanelJudging(setup, [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(VerdictWithMore(names));
      }));
  int asked = 0;
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
  EXPECT_EQ(verdict.additional.size(), kMaxInnerFeedbacks);
  EXPECT_EQ(verdict.metadata.at("further_left_out"), "501");
  EXPECT_EQ(verdict.additional[500].assessment_name.size(), 250u);
}

TEST_F(PanelTest, CountsNoValueOfAnotherType) {
  const json::Node row = *json::ParseJson(R"({"value":"yes"})");
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakePanelJudging(SetupOf(), [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(VerdictOf(row));
      }));
  int asked = 0;
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict, DriveGiven(*judging, &asked));
  EXPECT_EQ(verdict.feedback.error().code(), "PANEL_INCOMPLETE");
  EXPECT_EQ(verdict.feedback.parts(0).error().code(), "VALUE_OUTSIDE_TYPE");
}

TEST_F(PanelTest, EndsWithACallersError) {
  ASSAY_ASSERT_OK_AND_ASSIGN(
      const auto judging,
      MakePanelJudging(SetupOf(), [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(absl::CancelledError("gave up"));
      }));
  int asked = 0;
  EXPECT_THAT(DriveGiven(*judging, &asked), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(PanelTest, RefusesWhatAMemberRefuses) {
  EXPECT_THAT(
      MakePanelJudging(SetupOf(),
                       [&](const JudgingSetup&) -> absl::StatusOr<std::unique_ptr<Judging>> {
                         return InvalidField("outputs", "are needed", "MISSING_JUDGE_INPUT");
                       }),
      HasReason("MISSING_JUDGE_INPUT"));
}

}  // namespace
}  // namespace assay::judge
