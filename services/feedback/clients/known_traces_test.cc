#include "services/feedback/clients/known_traces.h"

#include <gtest/gtest.h>

namespace assay::feedback {
namespace {

TEST(KnownTracesTest, ForgetsTheOneThatWasUsedLongestAgo) {
  KnownTraces known(2);
  known.Add("a");
  known.Add("b");
  EXPECT_TRUE(known.Contains("a"));
  known.Add("c");
  EXPECT_FALSE(known.Contains("b"));
  EXPECT_TRUE(known.Contains("a"));
  EXPECT_TRUE(known.Contains("c"));
}

TEST(KnownTracesTest, AddingTwiceKeepsOne) {
  KnownTraces known(2);
  known.Add("a");
  known.Add("a");
  known.Add("b");
  EXPECT_TRUE(known.Contains("a"));
  EXPECT_TRUE(known.Contains("b"));
}

}  // namespace
}  // namespace assay::feedback
