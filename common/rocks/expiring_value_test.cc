#include "common/rocks/expiring_value.h"

#include <memory>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/rocks/db.h"
#include "common/rocks/int64_add.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rocks {
namespace {

using std::string_literals::operator""s;
using testing::Eq;
using testing::Ne;
using testing::Optional;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

TEST(ExpiringValueTest, WritesTheseBytes) {
  EXPECT_EQ(EncodeValue("ab", absl::InfiniteFuture()), "\x01"s + "ab");
  EXPECT_EQ(EncodeValue("ab", absl::FromUnixMicros(2)), "\x02\x80\0\0\0\0\0\0\x02"s + "ab");
  EXPECT_EQ(EncodeAdd(-2), "\x03\xfe\xff\xff\xff\xff\xff\xff\xff"s);
}

TEST(ExpiringValueTest, IsInvisibleFromItsExpiryOn) {
  const std::string stored = EncodeValue("ab", kNoon);
  EXPECT_THAT(DecodeValue(stored, kNoon - absl::Microseconds(1)), IsOkAndHolds(Optional(Eq("ab"))));
  EXPECT_THAT(DecodeValue(stored, kNoon), IsOkAndHolds(Eq(std::nullopt)));
}

TEST(ExpiringValueTest, RefusesBytesItDidNotWrite) {
  for (const std::string& bad : {""s, "\x04"s, "\x02short"s, "\x03seven.."s}) {
    EXPECT_THAT(DecodeValue(bad, kNoon), HasReason("STORAGE_CORRUPT"));
  }
}

TEST(ExpiringValueTest, CompactionDropsWhatHasExpiredAndSumsCounters) {
  FakeClock clock(kNoon);
  DbOptions options;
  options.path = testing::TempDir() + "/expiring";
  options.store_name = "expiring";
  options.families = {
      {.name = "kv",
       .merge_operator = NewExpiringValueMergeOperator(),
       .compaction_filter_factory = NewExpiryFilterFactory([&clock] { return clock.Now(); })}};
  ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(std::move(options)));
  const auto put = [&](const std::string& key, const std::string& value) {
    ASSERT_TRUE(db->raw().Put(rocksdb::WriteOptions(), db->family(0), key, value).ok());
  };
  const auto add = [&](const std::string& key, int64_t delta) {
    ASSERT_TRUE(
        db->raw().Merge(rocksdb::WriteOptions(), db->family(0), key, EncodeAdd(delta)).ok());
  };
  put("gone", EncodeValue("x", kNoon + absl::Hours(1)));
  put("later", EncodeValue("x", kNoon + absl::Hours(3)));
  put("stays", EncodeValue("x", absl::InfiniteFuture()));
  add("count", 3);
  ASSERT_THAT(db->CompactFamily(0), IsOk());
  add("count", 4);
  add("gone", 1);  // counts from zero, whatever compaction has done
  put("gone too", EncodeValue("x", kNoon + absl::Hours(1)));

  clock.Advance(absl::Hours(2));
  ASSERT_THAT(db->CompactFamily(0), IsOk());
  EXPECT_THAT(db->Get(0, "gone"), IsOkAndHolds(Optional(Eq(EncodeAdd(1)))));
  EXPECT_THAT(db->Get(0, "gone too"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(db->Get(0, "later"), IsOkAndHolds(Ne(std::nullopt)));
  EXPECT_THAT(db->Get(0, "stays"), IsOkAndHolds(Ne(std::nullopt)));
  EXPECT_THAT(db->Get(0, "count"), IsOkAndHolds(Optional(Eq(EncodeAdd(7)))));
}

}  // namespace
}  // namespace assay::rocks
