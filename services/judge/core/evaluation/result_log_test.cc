#include "services/judge/core/evaluation/result_log.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/fake_ports.h"

namespace assay::judge {
namespace {

using Results = std::vector<v1::EvaluationResult>;

class ResultLogTest : public testing::Test {
 protected:
  static RowResults Row(int64_t row, const std::vector<std::string>& labels) {
    RowResults results;
    results.row = row;
    results.trace = StrCat("experiments/e/traces/", row);
    for (const std::string& label : labels) {
      v1::EvaluationResult& result = results.results.emplace_back();
      result.set_assessment_name("quality");
      result.mutable_feedback()->set_label(label);
    }
    return results;
  }

  // Logs all rows at the same time; the answers by row.
  std::map<int64_t, absl::StatusOr<Results>> Log(std::vector<RowResults> rows) {
    std::map<int64_t, absl::StatusOr<Results>> answers;
    for (RowResults& row : rows) {
      const int64_t number = row.row;
      log_.Log(std::move(row), {}, [&answers, number](absl::StatusOr<Results> results) {
        answers.emplace(number, std::move(results));
      });
    }
    executor_.RunAll();
    return answers;
  }

  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  ManualExecutor executor_;
  Patience patience_{executor_, timers_, {}};
  FakeFeedback feedback_{executor_};
  ResultLog log_{feedback_,
                 patience_,
                 [](const absl::Status&) {},
                 {"experiments/e", "experiments/e/evaluations/v", "uid"},
                 {}};
};

TEST_F(ResultLogTest, RowsThatEndTogetherAreLoggedInOneCall) {
  const auto answers = Log({Row(0, {"a", "b"}), Row(1, {"c"}), Row(2, {})});
  EXPECT_EQ(feedback_.calls(), 1);
  const auto logged = feedback_.logged();
  ASSERT_EQ(logged.size(), 3u);
  EXPECT_EQ(logged[2].target().trace(), "experiments/e/traces/1");
  EXPECT_EQ(logged[2].evaluation(), "experiments/e/evaluations/v");
  EXPECT_EQ((*answers.at(0))[1].assessment(), logged[1].name());
  EXPECT_EQ((*answers.at(1))[0].assessment(), logged[2].name());
  EXPECT_THAT(*answers.at(2), testing::IsEmpty());
}

TEST_F(ResultLogTest, ARowThatIsLoggedAgainIsThereOnce) {
  const auto first = Log({Row(0, {"a", "b"}), Row(1, {"c"})});
  const auto again = Log({Row(1, {"c"}), Row(2, {"d"}), Row(0, {"a", "b"})});
  EXPECT_EQ(feedback_.logged().size(), 4u);
  EXPECT_EQ((*again.at(0))[1].assessment(), (*first.at(0))[1].assessment());
}

TEST_F(ResultLogTest, WhatIsRefusedIsAnErrorAndTheRestIsLogged) {
  feedback_.rule = [](const std::vector<feedback::v1::Assessment>& assessments) {
    FieldErrors errors;
    for (size_t i = 0; i < assessments.size(); ++i) {
      if (assessments[i].feedback().label() != "rude") continue;
      errors.Add(StrCat("assessments[", i, "].feedback.label"), "is rude");
    }
    return errors.ToStatus();
  };
  const auto answers = Log({Row(0, {"rude"}), Row(1, {"fine", "rude"})});
  EXPECT_EQ(feedback_.logged().size(), 3u);
  EXPECT_EQ(feedback_.calls(), 1) << "the first was refused, the second was not";
  EXPECT_EQ((*answers.at(1))[0].feedback().label(), "fine");
  for (const v1::EvaluationResult& refused : {(*answers.at(0))[0], (*answers.at(1))[1]}) {
    EXPECT_EQ(refused.feedback().error().code(), "ASSESSMENT_REFUSED");
    EXPECT_EQ(refused.feedback().error().message(), "feedback.label: is rude");
    EXPECT_FALSE(refused.assessment().empty());
  }
}

TEST_F(ResultLogTest, ARowThatCannotBeLoggedCostsTheOthersNothing) {
  feedback_.rule = [](const std::vector<feedback::v1::Assessment>& assessments) -> absl::Status {
    for (const feedback::v1::Assessment& assessment : assessments) {
      const std::string& trace = assessment.target().trace();
      if (trace == "experiments/e/traces/1") return NotFound("trace", trace);
    }
    return absl::OkStatus();
  };
  const auto answers = Log({Row(0, {"a"}), Row(1, {"b", "c"}), Row(2, {"d"})});
  EXPECT_EQ(feedback_.logged().size(), 2u);
  EXPECT_EQ((*answers.at(1))[0].feedback().label(), "b");
  EXPECT_TRUE((*answers.at(1))[0].assessment().empty());
  EXPECT_FALSE((*answers.at(2))[0].assessment().empty());
}

}  // namespace
}  // namespace assay::judge
