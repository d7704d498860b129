#include "services/alignment/core/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/strings/strings.h"
#include "services/alignment/testing/planted_world.h"

namespace assay::alignment {
namespace {

class ReportTest : public testing::Test {
 protected:
  void Add(const std::string& label, const std::string& before, const std::string& after,
           const std::string& seen) {
    LabelledCase labelled;
    labelled.trace = WorldTrace(static_cast<int>(cases_.size()));
    labelled.key = label;
    labelled.value = StrCat("\"", label, "\"");
    labelled.labels = {{"ann", label}};
    labelled.cluster = static_cast<int>(cases_.size());
    cases_.push_back(labelled);
    fold_of_.push_back(static_cast<int>(cases_.size()) % 5);
    before_.push_back(Says(before));
    held_out_.push_back(Says(after));
    seen_.push_back(Says(seen));
  }
  static Judgement Says(const std::string& key) {
    Judgement judgement;
    if (key.empty()) {
      judgement.error_code = "ANSWER_UNREADABLE";
      return judgement;
    }
    judgement.has_value = true;
    judgement.key = key;
    judgement.value = StrCat("\"", key, "\"");
    return judgement;
  }
  v1::AlignmentReport Make() {
    return MakeReport({cases_, fold_of_, before_, held_out_, seen_}, WorldJudge().value_type(), 42);
  }

  std::vector<LabelledCase> cases_;
  std::vector<int> fold_of_;
  std::vector<Judgement> before_, held_out_, seen_;
};

TEST_F(ReportTest, AClearGainIsOne) {
  for (int i = 0; i < 20; ++i) Add("good", "good", "good", "good");
  for (int i = 0; i < 20; ++i) Add("poor", "good", "poor", "poor");
  const v1::AlignmentReport report = Make();
  EXPECT_EQ(report.conclusion(), v1::CONCLUSION_GAIN);
  EXPECT_DOUBLE_EQ(report.before().agreement().value(), 0.5);
  EXPECT_DOUBLE_EQ(report.after().agreement().value(), 1);
  EXPECT_LT(report.after().agreement().low(), 1);
  EXPECT_DOUBLE_EQ(report.difference().value(), 0.5);
  EXPECT_GT(report.difference().low(), 0.3);
  EXPECT_NEAR(report.before().kappa().value(), 0, 1e-9);
  EXPECT_NEAR(report.after().kappa().value(), 1, 1e-9);
  EXPECT_DOUBLE_EQ(report.majority_baseline(), 0.5);
  EXPECT_EQ(report.labels_to_settle(), 0);
  EXPECT_EQ(report.cases_size(), 40);
}

TEST_F(ReportTest, AClearLossIsHarm) {
  for (int i = 0; i < 40; ++i)
    Add(i % 2 ? "good" : "poor", i % 2 ? "good" : "poor", "good", "good");
  EXPECT_EQ(Make().conclusion(), v1::CONCLUSION_HARM);
}

TEST_F(ReportTest, ASmallDifferenceSettlesNothing) {
  for (int i = 0; i < 30; ++i)
    Add(i % 2 ? "good" : "poor", "good", i < 3 ? "poor" : "good", "good");
  const v1::AlignmentReport report = Make();
  EXPECT_EQ(report.conclusion(), v1::CONCLUSION_INCONCLUSIVE);
  EXPECT_NE(report.difference().value(), 0);
  EXPECT_GT(report.labels_to_settle(), 30);
}

TEST_F(ReportTest, NoChangeIsInconclusiveWithoutANumberOfLabels) {
  for (int i = 0; i < 30; ++i) Add(i % 2 ? "good" : "poor", "good", "good", "good");
  const v1::AlignmentReport report = Make();
  EXPECT_EQ(report.conclusion(), v1::CONCLUSION_INCONCLUSIVE);
  EXPECT_EQ(report.labels_to_settle(), 0);
  EXPECT_LT(report.difference().low(), 0);
  EXPECT_GT(report.difference().high(), 0);
}

TEST_F(ReportTest, OptimismIsWhatSeenCasesFlatter) {
  for (int i = 0; i < 10; ++i) Add("poor", "good", i < 5 ? "poor" : "good", "poor");
  EXPECT_DOUBLE_EQ(Make().optimism(), 0.5);
}

TEST_F(ReportTest, AFailedJudgementIsADisagreement) {
  for (int i = 0; i < 10; ++i) Add("good", i == 0 ? "" : "good", "good", "good");
  const v1::AlignmentReport report = Make();
  EXPECT_DOUBLE_EQ(report.before().agreement().value(), 0.9);
  EXPECT_EQ(report.before().failed_count(), 1);
  EXPECT_FALSE(report.cases(0).has_before_value());
  EXPECT_TRUE(report.cases(1).has_before_value());
}

TEST_F(ReportTest, ASingleLabelLeavesKappaUndefinedAndSaysSo) {
  for (int i = 0; i < 40; ++i) Add("good", "good", "good", "good");
  const v1::AlignmentReport report = Make();
  EXPECT_EQ(report.before().kappa().count(), 0);
  EXPECT_DOUBLE_EQ(report.majority_baseline(), 1);
  EXPECT_EQ(report.conclusion(), v1::CONCLUSION_INCONCLUSIVE);
  EXPECT_THAT(report.warnings(), testing::Contains(testing::HasSubstr("All labels are the same")));
}

TEST_F(ReportTest, PeopleAreComparedWithPeople) {
  for (int i = 0; i < 10; ++i) Add("good", "good", "good", "good");
  EXPECT_EQ(Make().human_agreement().count(), 0);
  EXPECT_THAT(Make().warnings(), testing::Contains(testing::HasSubstr("One annotator")));
  for (int i = 0; i < 4; ++i) {
    cases_[static_cast<size_t>(i)].labels = {{"ann", "good"}, {"bob", i == 0 ? "poor" : "good"}};
  }
  EXPECT_EQ(Make().human_agreement().count(), 4);
  EXPECT_DOUBLE_EQ(Make().human_agreement().value(), 0.75);
}

TEST_F(ReportTest, EqualInputsCountAsOneObservation) {
  for (int i = 0; i < 40; ++i)
    Add(i % 2 ? "good" : "poor", "good", i % 4 ? "good" : "poor", "good");
  const double wide_before = Make().difference().high() - Make().difference().low();
  for (size_t i = 0; i < cases_.size(); ++i) cases_[i].cluster = static_cast<int>(i % 4);
  const v1::Estimate clustered = Make().difference();
  EXPECT_GT(clustered.high() - clustered.low(), 1.5 * wide_before);
}

TEST_F(ReportTest, TheReportIsTheSameEachTime) {
  for (int i = 0; i < 30; ++i)
    Add(i % 2 ? "good" : "poor", "good", i % 3 ? "good" : "poor", "good");
  EXPECT_EQ(Make().SerializeAsString(), Make().SerializeAsString());
}

}  // namespace
}  // namespace assay::alignment
