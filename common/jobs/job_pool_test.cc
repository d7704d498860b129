#include "common/jobs/job_pool.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/time/time.h"
#include "common/sync/notification.h"

namespace assay::jobs {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

// In each test the pool comes last, so that its jobs have ended before what they look at is gone.

TEST(JobPoolTest, RunsWhatWasStarted) {
  Notification ran;
  JobPool pool(2);
  EXPECT_TRUE(pool.Start("a", [&](const auto&) { ran.Notify(); }));
  EXPECT_TRUE(ran.WaitFor(kLong));
}

TEST(JobPoolTest, RefusesAnIdThatIsAtWork) {
  Notification release;
  JobPool pool(2);
  ASSERT_TRUE(pool.Start("a", [&](const auto&) { release.WaitFor(kLong); }));
  EXPECT_FALSE(pool.Start("a", [](const auto&) {}));
  EXPECT_TRUE(pool.Has("a"));
  release.Notify();
}

TEST(JobPoolTest, JobsBeyondTheCapWaitTheirTurn) {
  Notification release, second_ran;
  std::atomic<bool> first_done = false;
  std::atomic<bool> overlapped = false;
  JobPool pool(1);
  ASSERT_TRUE(pool.Start("first", [&](const auto&) {
    release.WaitFor(kLong);
    first_done = true;
  }));
  ASSERT_TRUE(pool.Start("second", [&](const auto&) {
    overlapped = !first_done;
    second_ran.Notify();
  }));
  EXPECT_TRUE(pool.Has("second"));
  release.Notify();
  ASSERT_TRUE(second_ran.WaitFor(kLong));
  EXPECT_FALSE(overlapped);
}

TEST(JobPoolTest, CancelReachesTheRunningJob) {
  Notification started, cancelled;
  JobPool pool(1);
  ASSERT_TRUE(pool.Start("a", [&](const std::shared_ptr<CancellationToken>& cancel) {
    auto registration = cancel->OnCancel([&] { cancelled.Notify(); });
    started.Notify();
    cancelled.WaitFor(kLong);
  }));
  ASSERT_TRUE(started.WaitFor(kLong));
  EXPECT_TRUE(pool.Cancel("a"));
  EXPECT_TRUE(cancelled.WaitFor(kLong));
  EXPECT_FALSE(pool.Cancel("unknown"));
}

TEST(JobPoolTest, StopCancelsWhatRunsAndDropsWhatWaits) {
  Notification started, cancelled;
  std::atomic<bool> second_ran = false;
  JobPool pool(1);
  ASSERT_TRUE(pool.Start("a", [&](const std::shared_ptr<CancellationToken>& cancel) {
    auto registration = cancel->OnCancel([&] { cancelled.Notify(); });
    started.Notify();
    cancelled.WaitFor(kLong);
  }));
  ASSERT_TRUE(started.WaitFor(kLong));
  ASSERT_TRUE(pool.Start("b", [&](const auto&) { second_ran = true; }));
  pool.Stop();
  EXPECT_FALSE(second_ran);
  EXPECT_FALSE(pool.Start("c", [](const auto&) {}));
}

}  // namespace
}  // namespace assay::jobs
