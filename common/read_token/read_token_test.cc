#include "common/read_token/read_token.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "common/status/status_matchers.h"

namespace assay {
namespace {

TEST(ReadTokenTest, ReadsWhatItWrote) {
  const ReadToken token{"0123456789abcdef", 42};
  EXPECT_THAT(DecodeReadToken(EncodeReadToken(token)), IsOkAndHolds(token));
}

TEST(ReadTokenTest, IsSafeInAUrl) { EXPECT_EQ(EncodeReadToken({"store", 7}), "c3RvcmU6Nw"); }

TEST(ReadTokenTest, RefusesWhatItDoesNotWrite) {
  for (const std::string plain :
       {"store", "store:", ":1", "store:0", "store:-1", "store:1x", "st ore:1", "store: 1",
        "store:01", "store:99999999999999999999"}) {
    EXPECT_THAT(DecodeReadToken(absl::WebSafeBase64Escape(plain)), HasReason("INVALID_READ_TOKEN"))
        << plain;
  }
  EXPECT_THAT(DecodeReadToken(""), HasReason("INVALID_READ_TOKEN"));
  EXPECT_THAT(DecodeReadToken("%%%"), HasReason("INVALID_READ_TOKEN"));
  EXPECT_THAT(DecodeReadToken(std::string(1000, 'A')), HasFieldViolation("read_token"));
}

}  // namespace
}  // namespace assay
