#include "services/judge/clients/key_source.h"

#include <cstdio>
#include <fstream>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/status/status_matchers.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WatchedTextTest : public testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }

  const std::string path_ = testing::TempDir() + "/watched-" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
  FakeClock clock_;
};

TEST_F(WatchedTextTest, TakesUpAChangedFile) {
  Write("first\n");
  WatchedText text("first", path_, nullptr, &clock_);
  Write("the second\n");
  EXPECT_EQ(text.Get(), "first");
  clock_.Advance(kKeyFileInterval);
  EXPECT_EQ(text.Get(), "the second");
}

TEST_F(WatchedTextTest, KeepsTheOldTextWhileTheFileIsBadOrGone) {
  Write("first");
  WatchedText text(
      "first", path_, [](const std::string& t) { return t.find(' ') == std::string::npos; },
      &clock_);
  Write("no key");
  clock_.Advance(kKeyFileInterval);
  EXPECT_EQ(text.Get(), "first");
  std::remove(path_.c_str());
  clock_.Advance(kKeyFileInterval);
  EXPECT_EQ(text.Get(), "first");
  Write("third");
  clock_.Advance(kKeyFileInterval);
  EXPECT_EQ(text.Get(), "third");
}

TEST(CheckKeyTest, RefusesWithoutShowing) {
  EXPECT_THAT(CheckKey("  k-1\n", "x"), IsOkAndHolds("k-1"));
  for (const std::string& bad :
       {std::string("hush hush"), std::string("hush\r\nX: y"), std::string(20'000, 'h')}) {
    const absl::Status error = CheckKey(bad, "the file f").status();
    EXPECT_THAT(error, HasReason("INVALID_FLAG"));
    EXPECT_THAT(error.ToString(), HasSubstr("the file f"));
    EXPECT_THAT(error.ToString(), Not(HasSubstr("hush")));
  }
}

TEST(ParseAwsCredentialsTest, ReadsTheProfile) {
  constexpr char kText[] =
      "# mine\n[default]\naws_access_key_id = AKID\naws_secret_access_key=s/e+c=\n\n"
      "[other]\naws_access_key_id=B\naws_secret_access_key=C\naws_session_token = T==\nregion=x\n";
  const auto usual = ParseAwsCredentials(kText, "default");
  ASSERT_TRUE(usual.has_value());
  EXPECT_EQ(usual->access_key_id, "AKID");
  EXPECT_EQ(usual->secret_access_key, "s/e+c=");
  EXPECT_EQ(usual->session_token, "");
  const auto other = ParseAwsCredentials(kText, "other");
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->session_token, "T==");
  EXPECT_FALSE(ParseAwsCredentials(kText, "third").has_value());
  EXPECT_FALSE(ParseAwsCredentials("[default]\naws_access_key_id=a b\n", "default").has_value());
  EXPECT_FALSE(ParseAwsCredentials("", "default").has_value());
}

}  // namespace
}  // namespace assay::judge
