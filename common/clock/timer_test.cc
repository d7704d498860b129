#include "common/clock/timer.h"

#include <memory>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::inline clock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FakeClockTest, MovesOnlyWhenTold) {
  FakeClock clock;
  const absl::Time start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(clock.Now(), start + absl::Seconds(5));
  clock.Set(start);
  EXPECT_EQ(clock.Now(), start);
}

TEST(FakeTimerQueueTest, RunsWhatIsDueInOrderOfTime) {
  FakeClock clock;
  FakeTimerQueue timers(&clock);
  std::vector<int> ran;
  timers.RunAfter(absl::Seconds(2), [&] { ran.push_back(2); });
  timers.RunAfter(absl::Seconds(1), [&] { ran.push_back(1); });
  timers.RunAt(clock.Now() + absl::Seconds(9), [&] { ran.push_back(9); });
  EXPECT_THAT(ran, IsEmpty());
  clock.Advance(absl::Seconds(3));
  EXPECT_THAT(ran, ElementsAre(1, 2));
  EXPECT_EQ(timers.pending(), 1u);
}

TEST(FakeTimerQueueTest, RunsDueTasksThatTasksAdd) {
  FakeClock clock;
  FakeTimerQueue timers(&clock);
  int ran = 0;
  timers.RunAfter(absl::Seconds(1), [&] { timers.RunAfter(absl::ZeroDuration(), [&] { ++ran; }); });
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(ran, 1);
}

TEST(FakeTimerQueueTest, CancelledTaskNeverRuns) {
  FakeClock clock;
  FakeTimerQueue timers(&clock);
  bool ran = false;
  const TimerQueue::Id id = timers.RunAfter(absl::Seconds(1), [&] { ran = true; });
  EXPECT_TRUE(timers.Cancel(id));
  EXPECT_FALSE(timers.Cancel(id));
  clock.Advance(absl::Seconds(2));
  EXPECT_FALSE(ran);
}

TEST(ThreadTimerQueueTest, RunsEarlierTaskFirst) {
  ThreadTimerQueue timers;
  std::vector<int> ran;
  Notification done;
  timers.RunAfter(absl::Milliseconds(20), [&] {
    ran.push_back(2);
    done.Notify();
  });
  timers.RunAt(SystemClock().Now() - absl::Hours(1), [&] { ran.push_back(1); });
  done.Wait();
  EXPECT_THAT(ran, ElementsAre(1, 2));
}

TEST(ThreadTimerQueueTest, CancelledTaskNeverRuns) {
  ThreadTimerQueue timers;
  auto held = std::make_shared<int>(0);
  const TimerQueue::Id id = timers.RunAfter(absl::Hours(1), [held] { ++*held; });
  EXPECT_TRUE(timers.Cancel(id));
  EXPECT_FALSE(timers.Cancel(id));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadTimerQueueTest, DropsPendingTasksWhenItGoes) {
  auto held = std::make_shared<int>(0);
  {
    ThreadTimerQueue timers;
    timers.RunAfter(absl::InfiniteDuration(), [held] { ++*held; });
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST(ThreadTimerQueueTest, TaskMayAddAndCancelTasks) {
  ThreadTimerQueue timers;
  Notification done;
  timers.RunAfter(absl::ZeroDuration(), [&] {
    const TimerQueue::Id id = timers.RunAfter(absl::Hours(1), [] {});
    timers.Cancel(id);
    timers.RunAfter(absl::ZeroDuration(), [&] { done.Notify(); });
  });
  done.Wait();
}

}  // namespace
}  // namespace assay::inline clock
