#include "common/jobs/job_pool.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/time/time.h"
#include "common/sync/notification.h"

namespace assay::jobs {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

TEST(JobPoolTest, RunsWhatWasStarted) {
  JobPool pool(2);
  Notification ran;
  EXPECT_TRUE(pool.Start("a", [&](const auto&) { ran.Notify(); }));
  EXPECT_TRUE(ran.WaitFor(kLong));
}

TEST(JobPoolTest, RefusesAnIdThatIsAtWork) {
  JobPool pool(2);
  Notification release;
  ASSERT_TRUE(pool.Start("a", [&](const auto&) { release.WaitFor(kLong); }));
  EXPECT_FALSE(pool.Start("a", [](const auto&) {}));
  EXPECT_TRUE(pool.Has("a"));
  release.Notify();
}

TEST(JobPoolTest, JobsBeyondTheCapWaitTheirTurn) {
  JobPool pool(1);
  Notification release, second_ran;
  std::atomic<bool> first_done = false;
  std::atomic<bool> overlapped = false;
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
  JobPool pool(1);
  Notification started, cancelled;
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
  JobPool pool(1);
  Notification started, cancelled;
  std::atomic<bool> second_ran = false;
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
