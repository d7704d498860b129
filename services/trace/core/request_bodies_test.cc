#include "services/trace/core/request_bodies.h"

#include <string>

#include "common/compress/compress.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace assay::trace {
namespace {

using compress::Encoding;

TEST(RequestBodiesTest, HoldsMemoryUntilItIsGivenBack) {
  RequestBodies bodies("the memory for tests", 1000, 0);
  std::string body(900, 'x');
  RequestBodies::Share share;
  ASSERT_OK(bodies.Decompress(Encoding::kIdentity, &body, &share));
  EXPECT_EQ(body, std::string(900, 'x'));
  EXPECT_EQ(bodies.bytes_in_flight(), 1800);
  std::string other(900, 'y');
  RequestBodies::Share more;
  const absl::Status refused = bodies.Decompress(Encoding::kIdentity, &other, &more);
  EXPECT_THAT(refused, HasReason("OVERLOADED"));
  EXPECT_THAT(refused.message(), testing::HasSubstr("the memory for tests"));
  share.clear();
  EXPECT_EQ(bodies.bytes_in_flight(), 0);
}

TEST(RequestBodiesTest, RefusesWhatGrowsBeyondTheBound) {
  RequestBodies bodies("the memory for tests", 1000, 1 << 20);
  absl::StatusOr<std::string> packed = compress::Compress(std::string(2000, 'x'), Encoding::kGzip);
  ASSERT_OK(packed);
  RequestBodies::Share share;
  EXPECT_THAT(bodies.Decompress(Encoding::kGzip, &*packed, &share), HasReason("MESSAGE_TOO_LARGE"));
}

}  // namespace
}  // namespace assay::trace
