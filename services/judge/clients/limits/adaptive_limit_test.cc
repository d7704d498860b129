#include "services/judge/clients/limits/adaptive_limit.h"

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

TEST(AdaptiveLimitTest, BeginsAtTheMaximum) {
  AdaptiveLimit limit(100);
  EXPECT_EQ(limit.limit(), 100);
  EXPECT_FALSE(limit.lowered());
}

TEST(AdaptiveLimitTest, HalvesOnceForAWaveOfRefusals) {
  AdaptiveLimit limit(100);
  const uint64_t wave = limit.Ticket();
  for (int i = 0; i < 100; ++i) limit.OnOverload(wave);
  EXPECT_EQ(limit.limit(), 50);
  limit.OnOverload(limit.Ticket());
  EXPECT_EQ(limit.limit(), 25);
}

TEST(AdaptiveLimitTest, NeverGoesBelowOne) {
  AdaptiveLimit limit(3);
  for (int i = 0; i < 10; ++i) limit.OnOverload(limit.Ticket());
  EXPECT_EQ(limit.limit(), 1);
}

TEST(AdaptiveLimitTest, RisesByAStepForEachRoundOfAnswers) {
  AdaptiveLimit limit(10);
  limit.OnOverload(limit.Ticket());
  ASSERT_EQ(limit.limit(), 5);
  for (int i = 0; i < 6; ++i) limit.OnSuccess(5);
  EXPECT_EQ(limit.limit(), 6);
  for (int i = 0; i < 100; ++i) limit.OnSuccess(10);
  EXPECT_EQ(limit.limit(), 10);
}

TEST(AdaptiveLimitTest, DoesNotRiseWhenItIsNotInUse) {
  AdaptiveLimit limit(100);
  limit.OnOverload(limit.Ticket());
  for (int i = 0; i < 1000; ++i) limit.OnSuccess(2);
  EXPECT_EQ(limit.limit(), 50);
}

// A provider that takes 40 at a time: the limit swings below and about it.
TEST(AdaptiveLimitTest, ConvergesToWhatTheProviderTakes) {
  AdaptiveLimit limit(256);
  int64_t refused = 0;
  int64_t answered = 0;
  for (int round = 0; round < 400; ++round) {
    const int64_t in_flight = limit.limit();
    const uint64_t ticket = limit.Ticket();
    for (int64_t call = 0; call < in_flight; ++call) {
      if (call < 40) {
        limit.OnSuccess(in_flight);
        ++answered;
      } else {
        limit.OnOverload(ticket);
        ++refused;
      }
    }
    if (round > 10) {
      EXPECT_LE(limit.limit(), 48);
      EXPECT_GE(limit.limit(), 18);
    }
  }
  EXPECT_LT(refused * 10, answered);
}

}  // namespace
}  // namespace assay::judge
