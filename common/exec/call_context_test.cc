#include "common/exec/call_context.h"

#include <memory>
#include <utility>

#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace assay::inline exec {
namespace {

TEST(CancellationTokenTest, RunsCallbacksOnce) {
  CancellationToken token;
  int calls = 0;
  auto registration = token.OnCancel([&] { ++calls; });
  EXPECT_FALSE(token.IsCancelled());
  token.Cancel();
  token.Cancel();
  EXPECT_TRUE(token.IsCancelled());
  EXPECT_EQ(calls, 1);
}

TEST(CancellationTokenTest, RunsLateCallbacksAtOnce) {
  CancellationToken token;
  token.Cancel();
  int calls = 0;
  auto registration = token.OnCancel([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(CancellationTokenTest, DroppedRegistrationIsNotCalled) {
  CancellationToken token;
  int calls = 0;
  {
    auto registration = token.OnCancel([&] { ++calls; });
  }
  auto kept = token.OnCancel([&] { calls += 10; });
  auto moved = std::move(kept);
  token.Cancel();
  EXPECT_EQ(calls, 10);
}

TEST(CallContextTest, IsEndlessByDefault) {
  CallContext context;
  EXPECT_FALSE(context.Cancelled());
  EXPECT_EQ(context.Remaining(absl::UnixEpoch()), absl::InfiniteDuration());
  EXPECT_OK(context.Check(absl::UnixEpoch()));
}

TEST(CallContextTest, RefusesWhenCancelledOrLate) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  CallContext tighter = context.WithDeadlineAtMost(now + absl::Seconds(2));
  EXPECT_EQ(tighter.Remaining(now), absl::Seconds(2));
  EXPECT_EQ(tighter.Remaining(now + absl::Seconds(3)), absl::ZeroDuration());
  EXPECT_OK(tighter.Check(now));
  EXPECT_THAT(tighter.Check(now + absl::Seconds(2)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(tighter.WithDeadlineAtMost(now + absl::Hours(1)).deadline, tighter.deadline);
  context.cancel->Cancel();
  EXPECT_THAT(tighter.Check(now), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace assay::inline exec
