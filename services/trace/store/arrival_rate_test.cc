#include "services/trace/store/arrival_rate.h"

#include "gtest/gtest.h"

namespace assay::trace {
namespace {

constexpr int64_t kPerSecond = 1000;
constexpr int64_t kBurst = 500;
const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

TEST(ArrivalRateTest, WhatArrivesNoFasterThanTheRateNeverExceedsIt) {
  ArrivalRate rate(kPerSecond, kBurst);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(rate.Exceeds(100, kStart + absl::Milliseconds(100 * i))) << i;
  }
}

TEST(ArrivalRateTest, ABurstIsForgiven) {
  ArrivalRate rate(kPerSecond, kBurst);
  EXPECT_FALSE(rate.Exceeds(500, kStart));
  EXPECT_FALSE(rate.Exceeds(500, kStart + absl::Milliseconds(500)));
}

TEST(ArrivalRateTest, WhatGoesOnFasterExceedsIt) {
  ArrivalRate rate(kPerSecond, kBurst);
  EXPECT_FALSE(rate.Exceeds(300, kStart));
  EXPECT_FALSE(rate.Exceeds(300, kStart + absl::Milliseconds(150)));
  EXPECT_TRUE(rate.Exceeds(300, kStart + absl::Milliseconds(300)));
}

TEST(ArrivalRateTest, AFloodIsForgottenSoonAfterItsEnd) {
  ArrivalRate rate(kPerSecond, kBurst);
  EXPECT_TRUE(rate.Exceeds(1'000'000, kStart));
  EXPECT_FALSE(rate.Exceeds(1, kStart + absl::Seconds(1)));
}

TEST(ArrivalRateTest, AClockThatIsSetBackDrainsNothing) {
  ArrivalRate rate(kPerSecond, kBurst);
  EXPECT_FALSE(rate.Exceeds(400, kStart));
  EXPECT_TRUE(rate.Exceeds(200, kStart - absl::Hours(1)));
}

}  // namespace
}  // namespace assay::trace
