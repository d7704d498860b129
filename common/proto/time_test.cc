#include "common/proto/time.h"

#include <gtest/gtest.h>

namespace assay::proto {
namespace {

TEST(TimeTest, KeepsNanosecondsBothWays) {
  const absl::Time time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(FromTimestamp(ToTimestamp(time)), time);
}

TEST(TimeTest, TimesBeforeTheEpochHavePositiveNanos) {
  const google::protobuf::Timestamp timestamp = ToTimestamp(absl::FromUnixNanos(-1));
  EXPECT_EQ(timestamp.seconds(), -1);
  EXPECT_EQ(timestamp.nanos(), 999'999'999);
}

TEST(TimeTest, ClampsWhatProtobufCannotHold) {
  EXPECT_EQ(ToTimestamp(absl::InfiniteFuture()).seconds(), 253402300799);
  EXPECT_EQ(ToTimestamp(absl::InfinitePast()).seconds(), -62135596800);
  EXPECT_EQ(ToDuration(absl::InfiniteDuration()).seconds(), 315576000000);
}

TEST(TimeTest, NegativeDurationsHaveBothPartsNegative) {
  const google::protobuf::Duration duration = ToDuration(-absl::Milliseconds(1500));
  EXPECT_EQ(duration.seconds(), -1);
  EXPECT_EQ(duration.nanos(), -500'000'000);
  EXPECT_EQ(FromDuration(duration), -absl::Milliseconds(1500));
}

}  // namespace
}  // namespace assay::proto
