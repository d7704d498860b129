#include "services/judge/clients/limits/recent_calls.h"

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'020);

TEST(RecentCallsTest, CountsTheLastFiveMinutes) {
  RecentCalls calls;
  calls.Add(FailureClass::kNone, kStart);
  calls.Add(FailureClass::kRate, kStart + absl::Minutes(1));
  calls.Add(FailureClass::kTransient, kStart + absl::Minutes(4));
  calls.Add(FailureClass::kCancelled, kStart + absl::Minutes(4));
  RecentCalls::Sums sums = calls.Last(kStart + absl::Minutes(4));
  EXPECT_EQ(sums.calls, 3);
  EXPECT_EQ(sums.failures, 2);
  EXPECT_EQ(sums.rate, 1);
  sums = calls.Last(kStart + absl::Minutes(6));
  EXPECT_EQ(sums.calls, 1);
  EXPECT_EQ(sums.rate, 0);
  EXPECT_EQ(calls.Last(kStart + absl::Hours(1)).calls, 0);
}

TEST(RecentCallsTest, RemembersTheLastFailure) {
  RecentCalls calls;
  calls.Add(FailureClass::kQuota, kStart);
  calls.Add(FailureClass::kNone, kStart + absl::Minutes(1));
  EXPECT_EQ(calls.last_failure(), FailureClass::kQuota);
  EXPECT_EQ(calls.last_failure_time(), kStart);
}

}  // namespace
}  // namespace assay::judge
