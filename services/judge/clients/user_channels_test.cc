#include "services/judge/clients/user_channels.h"

#include <string>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

TEST(UserChannelsTest, AllowsLoopbackOnly) {
  UserChannels channels(/*allow_remote=*/false);
  for (const char* address : {"127.0.0.1:80", "localhost:80", "[::1]:80"}) {
    EXPECT_THAT(channels.Check(address), IsOk()) << address;
  }
  for (const char* address : {"10.0.0.1:80", "example.org:80", "127.0.0.1.example.org:80"}) {
    EXPECT_THAT(channels.Check(address), HasReason("REMOTE_ADDRESS_REFUSED")) << address;
  }
}

TEST(UserChannelsTest, RefusesWhatIsNoAddress) {
  UserChannels channels(/*allow_remote=*/true);
  EXPECT_THAT(channels.Check("10.0.0.1:80"), IsOk());
  for (const char* address :
       {"", "127.0.0.1", "127.0.0.1:0", "unix:/run/x", "dns:///127.0.0.1:80", "127.0.0.1:99999"}) {
    EXPECT_THAT(channels.Check(address), StatusIs(absl::StatusCode::kInvalidArgument)) << address;
  }
}

TEST(UserChannelsTest, KeepsEncryptedChannelsApart) {
  UserChannels channels(/*allow_remote=*/false, "");
  EXPECT_NE(*channels.Get("127.0.0.1:1", /*tls=*/true), *channels.Get("127.0.0.1:1"));
  EXPECT_EQ(*channels.Get("127.0.0.1:1", /*tls=*/true), *channels.Get("127.0.0.1:1", true));
}

TEST(UserChannelsTest, KeepsTheChannelsUsedLast) {
  UserChannels channels(/*allow_remote=*/false);
  const auto first = *channels.Get("127.0.0.1:1");
  EXPECT_EQ(*channels.Get("127.0.0.1:1"), first);
  for (size_t i = 0; i < UserChannels::kMaxChannels; ++i) {
    ASSERT_THAT(channels.Get("127.0.0.1:" + std::to_string(i + 2)), IsOk());
  }
  EXPECT_NE(*channels.Get("127.0.0.1:1"), first);
}

}  // namespace
}  // namespace assay::judge
