#include "common/sync/notification.h"

#include <thread>
#include <vector>

#include "common/sync/mutex.h"
#include "gtest/gtest.h"

namespace assay::inline sync {
namespace {

TEST(NotificationTest, WakesAllWaiters) {
  Notification notification;
  EXPECT_FALSE(notification.HasBeenNotified());
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) waiters.emplace_back([&] { notification.Wait(); });
  notification.Notify();
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_TRUE(notification.HasBeenNotified());
}

TEST(NotificationTest, WaitForSaysWhetherItCame) {
  Notification notification;
  EXPECT_FALSE(notification.WaitFor(absl::ZeroDuration()));
  EXPECT_FALSE(notification.WaitFor(absl::Milliseconds(1)));
  notification.Notify();
  notification.Notify();
  EXPECT_TRUE(notification.WaitFor(absl::ZeroDuration()));
  EXPECT_TRUE(notification.WaitFor(absl::InfiniteDuration()));
}

TEST(NotificationTest, EndlessWaitEndsWhenNotified) {
  Notification notification;
  std::thread notifier([&] { notification.Notify(); });
  EXPECT_TRUE(notification.WaitFor(absl::InfiniteDuration()));
  notifier.join();
}

TEST(MutexTest, ExcludesOtherThreads) {
  Mutex mutex;
  CondVar changed;
  int turns = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      MutexLock lock(&mutex);
      while (turns % 2 == 0) changed.Wait(&mutex);
      ++turns;
      changed.Signal();
    }
  });
  for (int i = 0; i < 1000; ++i) {
    MutexLock lock(&mutex);
    while (turns % 2 == 1) changed.Wait(&mutex);
    ++turns;
    changed.Signal();
  }
  other.join();
  EXPECT_EQ(turns, 2000);
  const bool is_free = mutex.TryLock();
  EXPECT_TRUE(is_free);
  if (is_free) mutex.Unlock();
}

}  // namespace
}  // namespace assay::inline sync
