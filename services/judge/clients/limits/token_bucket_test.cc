#include "services/judge/clients/limits/token_bucket.h"

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

TEST(TokenBucketTest, LetsEverythingThroughWithoutALimit) {
  TokenBucket bucket(0, kStart);
  EXPECT_FALSE(bucket.limited());
  bucket.Take(1e12);
  EXPECT_EQ(bucket.WaitFor(1e12, kStart), absl::ZeroDuration());
}

TEST(TokenBucketTest, KeepsToTheRate) {
  TokenBucket bucket(60, kStart);  // One a second, five at once.
  absl::Time now = kStart;
  int taken = 0;
  while (now < kStart + absl::Minutes(1)) {
    const absl::Duration wait = bucket.WaitFor(1, now);
    if (wait > absl::ZeroDuration()) {
      now += wait;
      continue;
    }
    bucket.Take(1);
    ++taken;
  }
  EXPECT_GE(taken, 63);
  EXPECT_LE(taken, 65);
}

TEST(TokenBucketTest, LetsALargeAmountThroughWhenFull) {
  TokenBucket bucket(600, kStart);  // Holds 50.
  EXPECT_EQ(bucket.WaitFor(200, kStart), absl::ZeroDuration());
  bucket.Take(200);
  EXPECT_GE(bucket.WaitFor(1, kStart), absl::Seconds(15));
}

TEST(TokenBucketTest, CorrectsEstimates) {
  TokenBucket bucket(600, kStart);
  bucket.Take(50);
  EXPECT_GT(bucket.WaitFor(10, kStart), absl::ZeroDuration());
  bucket.Correct(40);  // It were 10 in truth.
  EXPECT_EQ(bucket.WaitFor(10, kStart), absl::ZeroDuration());
  bucket.Take(10);
  bucket.Correct(-130);  // It were 140.
  EXPECT_GE(bucket.WaitFor(10, kStart), absl::Seconds(10));
}

}  // namespace
}  // namespace assay::judge
