#include "common/kv/kv_journal.h"

#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::kv {
namespace {

using testing::Eq;
using testing::Optional;

class KvJournalTest : public testing::Test {
 protected:
  static absl::Status Record(KvJournal& journal, std::string_view step, std::string answer) {
    absl::Status result = absl::UnknownError("not called");
    journal.Record(step, std::move(answer),
                   [&](absl::Status status) { result = std::move(status); });
    return result;
  }

  FakeClock clock_;
  InlineExecutor executor_;
  MemoryStore store_{executor_, clock_};
  KvJournal journal_{store_, "job-1"};
};

TEST_F(KvJournalTest, AnotherJournalOfTheJobFindsWhatWasRecorded) {
  EXPECT_THAT(Record(journal_, "judge/1", "good"), IsOk());
  EXPECT_THAT(KvJournal(store_, "job-1").Find("judge/1"), IsOkAndHolds(Optional(Eq("good"))));
  EXPECT_THAT(journal_.Find("judge/2"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(KvJournalTest, TheFirstAnswerStays) {
  EXPECT_THAT(Record(journal_, "judge/1", "good"), IsOk());
  EXPECT_THAT(Record(journal_, "judge/1", "poor"), IsOk());
  EXPECT_THAT(journal_.Find("judge/1"), IsOkAndHolds(Optional(Eq("good"))));
}

TEST_F(KvJournalTest, AnEmptyAnswerIsAnAnswer) {
  EXPECT_THAT(Record(journal_, "judge/1", ""), IsOk());
  EXPECT_THAT(journal_.Find("judge/1"), IsOkAndHolds(Optional(Eq(""))));
}

TEST_F(KvJournalTest, RecordsSeveralAtOnceAndKeepsFirstAnswers) {
  const auto record_all = [this](std::vector<jobs::Journal::Step> steps) {
    absl::Status result = absl::UnknownError("not called");
    journal_.RecordAll(std::move(steps), [&](absl::Status status) { result = std::move(status); });
    return result;
  };
  EXPECT_THAT(record_all({{"judge/1", "good"}, {"judge/2", "fair"}}), IsOk());
  EXPECT_THAT(record_all({{"judge/3", "a"}, {"judge/2", "poor"}, {"judge/4", "b"}}), IsOk());
  EXPECT_THAT(journal_.Find("judge/1"), IsOkAndHolds(Optional(Eq("good"))));
  EXPECT_THAT(journal_.Find("judge/2"), IsOkAndHolds(Optional(Eq("fair"))));
  EXPECT_THAT(journal_.Find("judge/3"), IsOkAndHolds(Optional(Eq("a"))));
  EXPECT_THAT(journal_.Find("judge/4"), IsOkAndHolds(Optional(Eq("b"))));
}

TEST_F(KvJournalTest, AFailedCommitIsToldAndRecordsNothing) {
  store_.FailCommitsWith(absl::UnavailableError("disk"));
  EXPECT_THAT(Record(journal_, "judge/1", "good"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(journal_.Find("judge/1"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(KvJournalTest, ForgetsItsOwnStepsOnly) {
  KvJournal other(store_, "job-10");
  for (int i = 0; i < 600; ++i) {
    ASSERT_THAT(Record(journal_, "step/" + std::to_string(i), "x"), IsOk());
  }
  ASSERT_THAT(Record(other, "step/1", "y"), IsOk());
  EXPECT_THAT(journal_.Forget(), IsOk());
  EXPECT_THAT(journal_.Find("step/0"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(journal_.Find("step/599"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(other.Find("step/1"), IsOkAndHolds(Optional(Eq("y"))));
}

}  // namespace
}  // namespace assay::kv
