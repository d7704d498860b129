#include "common/exec/executor.h"

#include <atomic>
#include <barrier>
#include <memory>
#include <thread>
#include <vector>

#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::inline exec {
namespace {

using ::testing::ElementsAre;

TEST(ThreadPoolTest, RunsOnItsOwnThreads) {
  ThreadPool pool("test", 2);
  Notification done;
  std::thread::id id;
  pool.Run([&] {
    id = std::this_thread::get_id();
    done.Notify();
  });
  done.Wait();
  EXPECT_NE(id, std::this_thread::get_id());
}

TEST(ThreadPoolTest, ShutdownRunsAllThatIsQueuedAndWhatThatAdds) {
  std::atomic<int> ran = 0;
  ThreadPool pool("test", 3);
  for (int i = 0; i < 500; ++i) {
    pool.Run([&] {
      ++ran;
      pool.Run([&] { ++ran; });
    });
  }
  pool.Shutdown();
  EXPECT_EQ(ran, 1000);
  EXPECT_EQ(pool.QueueLength(), 0u);
}

TEST(ThreadPoolTest, TasksThatWaitForEachOtherHaveAThreadEach) {
  constexpr int kThreads = 8;  // More than there are cores on some machines.
  ThreadPool pool("test", kThreads);
  for (int round = 0; round < 200; ++round) {
    const auto all = std::make_shared<std::barrier<>>(kThreads + 1);
    for (int i = 0; i < kThreads; ++i) {
      pool.Run([all] { all->arrive_and_wait(); });
    }
    all->arrive_and_wait();
  }
  pool.Shutdown();
}

TEST(ThreadPoolTest, NeverRefusesEvenAfterShutdown) {
  ThreadPool pool("test", 1);
  pool.Shutdown();
  bool ran = false;
  pool.Run([&] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(ThreadPoolTest, HasAtLeastOneThread) {
  ThreadPool pool("a name longer than Linux allows", 0);
  Notification done;
  pool.Run([&] { done.Notify(); });
  done.Wait();
}

TEST(StrandExecutorTest, RunsOneAtATimeInOrder) {
  ThreadPool pool("test", 4);
  StrandExecutor strand(&pool);
  std::vector<int> ran;  // Unguarded on purpose: the strand is the guard.
  for (int i = 0; i < 1000; ++i) strand.Run([&ran, i] { ran.push_back(i); });
  Notification done;
  strand.Run([&] { done.Notify(); });
  done.Wait();
  ASSERT_EQ(ran.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ran[i], i);
  pool.Shutdown();
}

TEST(ManualExecutorTest, RunsOnlyWhenTold) {
  ManualExecutor executor;
  std::vector<int> ran;
  executor.Run([&] {
    ran.push_back(1);
    executor.Run([&] { ran.push_back(3); });
  });
  executor.Run([&] { ran.push_back(2); });
  EXPECT_EQ(executor.pending(), 2u);
  EXPECT_TRUE(executor.RunOne());
  EXPECT_THAT(ran, ElementsAre(1));
  EXPECT_EQ(executor.RunAll(), 2u);
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
  EXPECT_FALSE(executor.RunOne());
}

TEST(EnsureCalledTest, AnswersInternalWhenDropped) {
  absl::Status status;
  {
    Done<int> done = EnsureCalled<int>([&](absl::StatusOr<int> x) { status = x.status(); });
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
}

TEST(EnsureCalledTest, AnswersOnceWhenCalled) {
  int calls = 0;
  {
    Done<int> done = EnsureCalled<int>([&](absl::StatusOr<int> x) { calls += x.value(); });
    Done<int> moved = std::move(done);
    std::move(moved)(1);
  }
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace assay::inline exec
