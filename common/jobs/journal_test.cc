#include "common/jobs/journal.h"

#include <gtest/gtest.h>

#include <string>

#include "common/exec/executor.h"
#include "common/jobs/in_memory_journal.h"
#include "common/status/status_matchers.h"

namespace assay::jobs {
namespace {

class JournalTest : public testing::Test {
 protected:
  // Runs one step whose work answers `answer`.
  absl::StatusOr<std::string> Run(const std::string& step, absl::StatusOr<std::string> answer) {
    absl::StatusOr<std::string> result = absl::UnknownError("not called");
    Once(
        journal_, step,
        [&](Done<std::string> done) {
          ++calls_;
          std::move(done)(std::move(answer));
        },
        [&](absl::StatusOr<std::string> value) { result = std::move(value); });
    return result;
  }

  InlineExecutor executor_;
  InMemoryJournal journal_{executor_};
  int calls_ = 0;
};

TEST_F(JournalTest, ARecordedStepIsNotRunAgain) {
  EXPECT_THAT(Run("judge/1", std::string("good")), IsOkAndHolds("good"));
  EXPECT_THAT(Run("judge/1", std::string("poor")), IsOkAndHolds("good"));
  EXPECT_EQ(calls_, 1);
}

TEST_F(JournalTest, StepsAreKeptApart) {
  EXPECT_THAT(Run("judge/1", std::string("good")), IsOkAndHolds("good"));
  EXPECT_THAT(Run("judge/2", std::string("poor")), IsOkAndHolds("poor"));
}

TEST_F(JournalTest, AnErrorIsPassedOnAndTriedAgain) {
  EXPECT_THAT(Run("judge/1", absl::UnavailableError("down")),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Run("judge/1", std::string("good")), IsOkAndHolds("good"));
  EXPECT_EQ(calls_, 2);
}

TEST_F(JournalTest, AnEmptyAnswerIsAnAnswer) {
  EXPECT_THAT(Run("judge/1", std::string()), IsOkAndHolds(""));
  EXPECT_THAT(Run("judge/1", std::string("x")), IsOkAndHolds(""));
}

}  // namespace
}  // namespace assay::jobs
