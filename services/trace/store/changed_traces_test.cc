#include "services/trace/store/changed_traces.h"

#include <string>

#include "gtest/gtest.h"

namespace assay::trace {
namespace {

TraceId Id(int number) {
  std::string bytes(TraceId::kSize, '\0');
  bytes[14] = static_cast<char>(number >> 8);
  bytes[15] = static_cast<char>(number);
  return *TraceId::FromBytes(bytes);
}

TEST(ChangedTracesTest, KnowsWhatWasNoted) {
  ChangedTraces changed;
  changed.BeginAt(100);
  changed.Note(Id(1), 105);
  EXPECT_TRUE(changed.MayHaveChanged(Id(1), 100));
  EXPECT_FALSE(changed.MayHaveChanged(Id(2), 100));
}

TEST(ChangedTracesTest, KnowsNothingOfWhatWasBefore) {
  ChangedTraces changed;
  changed.BeginAt(100);
  EXPECT_TRUE(changed.MayHaveChanged(Id(2), 99));
}

TEST(ChangedTracesTest, ForgetsTheOldestAndSaysSo) {
  ChangedTraces changed(/*max_traces=*/40);
  changed.BeginAt(100);
  for (int i = 0; i < 200; ++i) changed.Note(Id(i), 100 + static_cast<uint64_t>(i));
  EXPECT_TRUE(changed.MayHaveChanged(Id(0), 100)) << "forgotten";
  EXPECT_TRUE(changed.MayHaveChanged(Id(999), 100)) << "nobody knows";
  EXPECT_FALSE(changed.MayHaveChanged(Id(999), 299));
  for (int i = 160; i < 200; ++i) EXPECT_TRUE(changed.MayHaveChanged(Id(i), 299)) << i;
}

}  // namespace
}  // namespace assay::trace
