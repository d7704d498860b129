#include "services/trace/core/completion/open_sessions.h"

#include <string>

#include "gtest/gtest.h"
#include "services/trace/core/completion/completeness.h"

namespace assay::trace {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(30);
const uint64_t kKey = OpenSessions::KeyOf(1, "s");

class OpenSessionsTest : public testing::Test {
 protected:
  void Settle(absl::Duration after) { sessions_.AllSettled(start_ + after); }
  bool MayBeOpen(uint64_t key = kKey) { return sessions_.MayBeOpen(key, start_); }

  const absl::Time start_ = absl::FromUnixSeconds(1'000'000);
  OpenSessions sessions_{start_, true, kWindow};
};

TEST_F(OpenSessionsTest, KnowsNothingBeforeTracesWereLookedAt) {
  EXPECT_TRUE(MayBeOpen());
  Settle(absl::Seconds(1));
  EXPECT_FALSE(MayBeOpen());
}

TEST_F(OpenSessionsTest, RemembersArrivalsUntilTheyAreSettled) {
  sessions_.NoteArrivals({kKey});
  for (const int seconds : {1, 30, 60, 89}) {
    Settle(absl::Seconds(seconds));
    EXPECT_TRUE(MayBeOpen()) << seconds;
  }
  EXPECT_FALSE(MayBeOpen(OpenSessions::KeyOf(2, "s"))) << "of another experiment";
  Settle(absl::Seconds(90));
  EXPECT_TRUE(MayBeOpen()) << "it may have come just before";
  Settle(absl::Seconds(180));
  EXPECT_FALSE(MayBeOpen());
}

TEST_F(OpenSessionsTest, ForgetsNothingWhileTracesAreBehind) {
  Settle(absl::Seconds(1));
  sessions_.NoteArrivals({kKey});
  EXPECT_TRUE(sessions_.MayBeOpen(kKey, start_ + absl::Hours(5)));
}

TEST_F(OpenSessionsTest, RemembersTracesWithoutAnEndUntilTheyAreGivenUp) {
  sessions_.NoteUnended(kKey);
  for (absl::Duration after = absl::ZeroDuration(); after < kAbandonedAfter; after += kWindow) {
    Settle(after);
    EXPECT_TRUE(MayBeOpen()) << after;
  }
  Settle(2 * kAbandonedAfter);
  Settle(3 * kAbandonedAfter);
  EXPECT_FALSE(MayBeOpen());
}

TEST_F(OpenSessionsTest, KnowsNothingOfTheTimeBeforeTheProcess) {
  OpenSessions after_restart(start_, false, kWindow);
  after_restart.AllSettled(start_);
  EXPECT_TRUE(after_restart.MayBeOpen(kKey, start_ + kAbandonedAfter - absl::Seconds(1)));
  EXPECT_FALSE(after_restart.MayBeOpen(kKey, start_ + kAbandonedAfter));
}

TEST_F(OpenSessionsTest, TakesFewOfManyForOthers) {
  Settle(absl::Seconds(1));
  for (int i = 0; i < 50'000; ++i) {
    const uint64_t key = OpenSessions::KeyOf(1, std::to_string(i));
    sessions_.NoteArrivals({key});
    ASSERT_TRUE(MayBeOpen(key));
  }
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) taken += MayBeOpen(OpenSessions::KeyOf(2, std::to_string(i)));
  EXPECT_LT(taken, 100);
}

}  // namespace
}  // namespace assay::trace
