#include "services/feedback/core/etag.h"

#include <gtest/gtest.h>

#include "common/status/status_matchers.h"

namespace assay::feedback {
namespace {

TEST(EtagTest, CountsChanges) {
  EXPECT_EQ(FirstEtag("a-0f"), "\"a-0f-1\"");
  EXPECT_EQ(NextEtag("\"a-0f-9\""), "\"a-0f-10\"");
}

TEST(EtagTest, OnlyTheCurrentOneOrNoneHolds) {
  EXPECT_THAT(CheckEtag("", "\"a-2\"", "n"), IsOk());
  EXPECT_THAT(CheckEtag("\"a-2\"", "\"a-2\"", "n"), IsOk());
  EXPECT_THAT(CheckEtag("\"a-1\"", "\"a-2\"", "n"), HasReason("ETAG_MISMATCH"));
}

}  // namespace
}  // namespace assay::feedback
