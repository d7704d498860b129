#include "services/judge/core/evaluation/evaluation_summary.h"

#include <string>
#include <vector>

#include "common/json/json_value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

class EvaluationSummaryTest : public testing::Test {
 protected:
  // One row with one value, or with an outcome without one.
  void Add(const std::string& name, const std::string& value,
           common::v1::Outcome outcome = common::v1::OUTCOME_VALUE) {
    RowOutcome row;
    v1::EvaluationResult& result = *row.result.add_results();
    result.set_assessment_name(name);
    result.mutable_feedback()->set_outcome(outcome);
    if (!value.empty()) *result.mutable_feedback()->mutable_value() = json::JsonFromText(value);
    row.judgements.push_back(outcome);
    AddToTally(row, record_.value_types(), &tally_);
  }
  common::v1::ValueType& Type(const std::string& name) {
    return (*record_.mutable_value_types())[name];
  }
  v1::Evaluation Summary() {
    v1::Evaluation evaluation;
    Summarize(record_, tally_, &evaluation);
    return evaluation;
  }

  storage::v1::EvaluationRecord record_;
  storage::v1::EvaluationTallyRecord tally_;
};

TEST_F(EvaluationSummaryTest, YesCountsOneAndNoZero) {
  for (const char* value : {"\"yes\"", "\"yes\"", "\"no\"", "\"yes\""}) Add("polite", value);
  const v1::Evaluation evaluation = Summary();
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("polite/mean"), 0.75);
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("polite/share/no"), 0.25);
  EXPECT_FALSE(evaluation.summaries(0).has_mean_rank());
}

TEST_F(EvaluationSummaryTest, TruthAndNumbersHaveMeans) {
  Type("ok").mutable_bool_type();
  Type("score").mutable_number_type();
  Add("ok", "true");
  Add("ok", "true");
  Add("score", "1.5");
  Add("score", "2");
  const v1::Evaluation evaluation = Summary();
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("ok/mean"), 1.0);
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("ok/share/false"), 0.0);
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("score/mean"), 1.75);
  EXPECT_EQ(evaluation.summaries(1).category_counts_size(), 0);
}

TEST_F(EvaluationSummaryTest, OrderedCategoriesHaveAMeanRank) {
  auto* type = Type("quality").mutable_category_type();
  for (const char* category : {"good", "fair", "poor"}) type->add_categories(category);
  Add("quality", "\"good\"");
  Add("quality", "\"poor\"");
  EXPECT_FALSE(Summary().summaries(0).has_mean_rank());
  tally_.Clear();
  type->set_ordered(true);
  Add("quality", "\"good\"");
  Add("quality", "\"poor\"");
  EXPECT_DOUBLE_EQ(Summary().metrics().at("quality/mean_rank"), 2.0);
  EXPECT_FALSE(Summary().metrics().contains("quality/mean"));
  EXPECT_EQ(Summary().summaries(0).category_counts().at("fair"), 0);
}

TEST_F(EvaluationSummaryTest, OnlyValuesCount) {
  Add("polite", "\"yes\"");
  Add("polite", "", common::v1::OUTCOME_ERROR);
  Add("polite", "", common::v1::OUTCOME_SKIPPED);
  Add("polite", "", common::v1::OUTCOME_ABSTAINED);
  const v1::Evaluation evaluation = Summary();
  EXPECT_DOUBLE_EQ(evaluation.metrics().at("polite/mean"), 1.0);
  EXPECT_EQ(evaluation.summaries(0).error_count(), 1);
  EXPECT_EQ(evaluation.summaries(0).skipped_count(), 1);
  EXPECT_EQ(evaluation.summaries(0).abstained_count(), 1);
  EXPECT_EQ(evaluation.progress().judgements_error(), 1);
}

TEST_F(EvaluationSummaryTest, OtherTextsHaveNoMean) {
  Type("comment").mutable_string_type();
  Add("comment", "\"yes\"");
  Add("comment", "\"a lovely answer\"");
  const v1::Evaluation evaluation = Summary();
  EXPECT_FALSE(evaluation.metrics().contains("comment/mean"));
  EXPECT_FALSE(evaluation.metrics().contains("comment/share/a lovely answer"));
}

TEST_F(EvaluationSummaryTest, ScorersTextsAreCategoriesUntilThereAreTooMany) {
  Add("topic", "\"billing\"");
  EXPECT_DOUBLE_EQ(Summary().metrics().at("topic/share/billing"), 1.0);
  for (size_t i = 0; i < kMaxCategories; ++i) Add("topic", "\"t" + std::to_string(i) + "\"");
  EXPECT_TRUE(Summary().metrics().empty());
  EXPECT_EQ(Summary().summaries(0).value_count(), static_cast<int64_t>(kMaxCategories) + 1);
}

TEST_F(EvaluationSummaryTest, NullAndLargeValuesAreValues) {
  Add("score", "null");
  Add("score", "1");
  EXPECT_DOUBLE_EQ(Summary().metrics().at("score/mean"), 1.0);
  EXPECT_EQ(Summary().summaries(0).value_count(), 2);
  Add("score", "[1,2]");
  EXPECT_FALSE(Summary().metrics().contains("score/mean"));
}

TEST(JudgementOutcomeTest, OneErrorIsAnErrorAndNothingIsAbstained) {
  auto with = [](std::vector<common::v1::Outcome> outcomes) {
    std::vector<v1::EvaluationResult> results(outcomes.size());
    for (size_t i = 0; i < outcomes.size(); ++i) {
      results[i].mutable_feedback()->set_outcome(outcomes[i]);
    }
    return JudgementOutcome(results);
  };
  using common::v1::OUTCOME_ABSTAINED;
  using common::v1::OUTCOME_ERROR;
  using common::v1::OUTCOME_SKIPPED;
  using common::v1::OUTCOME_VALUE;
  EXPECT_EQ(with({}), OUTCOME_ABSTAINED);
  EXPECT_EQ(with({OUTCOME_VALUE, OUTCOME_ERROR}), OUTCOME_ERROR);
  EXPECT_EQ(with({OUTCOME_ABSTAINED, OUTCOME_VALUE}), OUTCOME_VALUE);
  EXPECT_EQ(with({OUTCOME_SKIPPED}), OUTCOME_SKIPPED);
}

}  // namespace
}  // namespace assay::judge
