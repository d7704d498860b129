#include "common/rocks/scan.h"

#include <memory>
#include <string>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rocks {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ScanTest : public testing::Test {
 protected:
  void SetUp() override {
    DbOptions options;
    options.path =
        testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    options.store_name = "scan";
    options.families = {{.name = "left"}, {.name = "right"}};
    ASSAY_ASSERT_OK_AND_ASSIGN(db_, Db::Open(std::move(options)));
    for (const char* key : {"a", "b", "c", "d", "e"}) Put(0, key);
    Put(1, "bb");
  }

  void Put(int family, const std::string& key) {
    ASSERT_TRUE(db_->raw().Put(rocksdb::WriteOptions(), db_->family(family), key, "v" + key).ok());
  }

  std::vector<std::string> Keys(const ScanRequest& request) {
    std::vector<std::string> keys;
    EXPECT_THAT(Scan(*db_, 0, request,
                     [&](std::string_view key, std::string_view value) {
                       EXPECT_EQ(value, "v" + std::string(key));
                       keys.emplace_back(key);
                       return ScanStep::Next();
                     }),
                IsOk());
    return keys;
  }

  std::unique_ptr<Db> db_;
};

TEST_F(ScanTest, StaysWithinItsBoundsAndFamily) {
  EXPECT_THAT(Keys({}), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(Keys({.begin = "b", .end = "d"}), ElementsAre("b", "c"));
  EXPECT_THAT(Keys({.begin = "b", .end = "d", .reverse = true}), ElementsAre("c", "b"));
  EXPECT_THAT(Keys({.begin = "aa", .limit = 2}), ElementsAre("b", "c"));
  EXPECT_THAT(Keys({.limit = 2, .reverse = true}), ElementsAre("e", "d"));
  EXPECT_THAT(Keys({.begin = "d", .end = "b"}), IsEmpty());
  EXPECT_THAT(Keys({.begin = "b", .end = "b", .reverse = true}), IsEmpty());
}

TEST_F(ScanTest, OnePrefixFindsAllOfItInMemoryAndInFiles) {
  DbOptions options;
  options.path = testing::TempDir() + "/prefixes";
  options.store_name = "scan";
  options.families = {{.name = "pairs", .prefix_bytes = 2, .block_bytes = 4096}};
  ASSAY_ASSERT_OK_AND_ASSIGN(db_, Db::Open(std::move(options)));
  const auto put = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys) Put(0, key);
  };
  put({"aa1", "ab1", "ab3"});
  ASSERT_OK(db_->CompactFamily(0));
  put({"ab2", "ac1"});
  ASSERT_TRUE(db_->raw().Flush(rocksdb::FlushOptions(), db_->family(0)).ok());
  put({"ab4", "b", "ad"});
  EXPECT_THAT(Keys({.begin = "ab", .end = "ac", .one_prefix = true}),
              ElementsAre("ab1", "ab2", "ab3", "ab4"));
  EXPECT_THAT(Keys({.begin = "ab2", .end = "ac", .limit = 2, .one_prefix = true}),
              ElementsAre("ab2", "ab3"));
  EXPECT_THAT(Keys({.begin = "ad", .end = "ae", .one_prefix = true}), ElementsAre("ad"));
  EXPECT_THAT(Keys({.begin = "ax", .end = "ay", .one_prefix = true}), IsEmpty());
  EXPECT_THAT(Keys({.begin = "ab3"}), ElementsAre("ab3", "ab4", "ac1", "ad", "b"));
  EXPECT_THAT(Scan(*db_, 0, {.begin = "ab", .one_prefix = true, .reverse = true},
                   [](auto, auto) { return ScanStep::Next(); }),
              HasReason("INVALID_SCAN"));
}

TEST_F(ScanTest, SaysWhyItEnded) {
  const auto next = [](auto, auto) { return ScanStep::Next(); };
  EXPECT_THAT(Scan(*db_, 0, {.limit = 5}, next), IsOkAndHolds(ScanEnd::kExhausted));
  EXPECT_THAT(Scan(*db_, 0, {.limit = 4}, next), IsOkAndHolds(ScanEnd::kLimit));
  EXPECT_THAT(Scan(*db_, 0, {}, [](auto, auto) { return ScanStep::Stop(); }),
              IsOkAndHolds(ScanEnd::kStopped));
  EXPECT_THAT(Scan(*db_, 0, {.limit = 0}, next), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ScanTest, SkipsAheadInItsDirectionOnly) {
  const auto keys_skipping_to = [&](const std::string& target, bool reverse) {
    std::string keys;
    EXPECT_THAT(Scan(*db_, 0, {.reverse = reverse},
                     [&](std::string_view key, std::string_view) {
                       keys += key;
                       return keys.size() == 1 ? ScanStep::SkipTo(target) : ScanStep::Next();
                     }),
                IsOk());
    return keys;
  };
  EXPECT_EQ(keys_skipping_to("cc", false), "ade");
  EXPECT_EQ(keys_skipping_to("a", false), "abcde");
  EXPECT_EQ(keys_skipping_to("bb", true), "eba");
  EXPECT_EQ(keys_skipping_to("f", true), "edcba");
}

TEST_F(ScanTest, ReadsItsSnapshot) {
  const Snapshot snapshot(*db_);
  Put(0, "ab");
  EXPECT_THAT(Keys({.end = "b", .snapshot = &snapshot}), ElementsAre("a"));
  EXPECT_THAT(Keys({.end = "b"}), ElementsAre("a", "ab"));
}

}  // namespace
}  // namespace assay::rocks
