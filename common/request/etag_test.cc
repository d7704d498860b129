#include "common/request/etag.h"

#include <gtest/gtest.h>

#include "common/status/status_matchers.h"

namespace assay {
namespace {

TEST(EtagTest, CountsChanges) {
  EXPECT_EQ(FirstEtag("u"), "\"u-1\"");
  EXPECT_EQ(NextEtag("\"u-1\""), "\"u-2\"");
  EXPECT_EQ(NextEtag("\"a-b-99\""), "\"a-b-100\"");
}

TEST(EtagTest, AnEmptyExpectationHoldsOfEverything) {
  EXPECT_THAT(CheckEtag("", "\"u-2\"", "experiments/e"), IsOk());
  EXPECT_THAT(CheckEtag("\"u-2\"", "\"u-2\"", "experiments/e"), IsOk());
}

TEST(EtagTest, AStaleOneIsAborted) {
  EXPECT_THAT(CheckEtag("\"u-1\"", "\"u-2\"", "experiments/e"),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(CheckEtag("\"u-1\"", "\"u-2\"", "experiments/e"), HasReason("ETAG_MISMATCH"));
}

}  // namespace
}  // namespace assay
