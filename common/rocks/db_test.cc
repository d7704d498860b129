#include "common/rocks/db.h"

#include <sys/stat.h>

#include <string>
#include <utility>

#include "common/rocks/int64_add.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rocks {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

std::string TestDirectory() {
  return testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
}

DbOptions OptionsFor(const std::string& path) {
  DbOptions options;
  options.path = path;
  options.store_name = "trace";
  options.families = {{.name = "spans"},
                      {.name = "counts", .merge_operator = NewInt64AddOperator()}};
  return options;
}

absl::Status Put(Db& db, int family, const std::string& key, const std::string& value) {
  return db.raw().Put(rocksdb::WriteOptions(), db.family(family), key, value).ok()
             ? absl::OkStatus()
             : absl::InternalError("put");
}

TEST(DbTest, KeepsWhatWasWrittenAcrossReopening) {
  const std::string path = TestDirectory() + "/nested/store";
  {
    ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(OptionsFor(path)));
    ASSERT_THAT(Put(*db, 0, "a", "1"), IsOk());
    ASSERT_THAT(Put(*db, 1, "b", EncodeFixedInt64(2)), IsOk());
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(
          db->raw().Merge(rocksdb::WriteOptions(), db->family(1), "b", EncodeFixedInt64(-5)).ok());
    }
  }
  ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(OptionsFor(path)));
  EXPECT_THAT(db->Get(0, "a"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_THAT(db->Get(0, "b"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(db->Get(1, "b"), IsOkAndHolds(Optional(Eq(EncodeFixedInt64(-13)))));
  EXPECT_THAT(db->MultiGet(0, {"x", "a"}),
              IsOkAndHolds(ElementsAre(Eq(std::nullopt), Optional(Eq("1")))));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700);
}

TEST(DbTest, ASnapshotDoesNotSeeLaterWrites) {
  ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(OptionsFor(TestDirectory())));
  ASSERT_THAT(Put(*db, 0, "a", "1"), IsOk());
  const Snapshot snapshot(*db);
  ASSERT_THAT(Put(*db, 0, "a", "2"), IsOk());
  EXPECT_THAT(db->Get(0, "a", &snapshot), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_THAT(db->Get(0, "a"), IsOkAndHolds(Optional(Eq("2"))));
}

TEST(DbTest, SaysWhenAStoreIsInUse) {
  ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(OptionsFor(TestDirectory())));
  EXPECT_THAT(Db::Open(OptionsFor(TestDirectory())),
              AllOf(StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is in use")),
                    HasReason("STORE_LOCKED")));
}

TEST(DbTest, RefusesTheStoreOfAnotherService) {
  { ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(OptionsFor(TestDirectory()))); }
  DbOptions other = OptionsFor(TestDirectory());
  other.store_name = "judge";
  EXPECT_THAT(Db::Open(std::move(other)),
              AllOf(StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("'trace'")),
                    HasReason("STORE_MISMATCH")));
}

TEST(DbTest, RefusesADatabaseThatIsNotAssays) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* foreign = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, TestDirectory(), &foreign).ok());
  rocksdb::ColumnFamilyHandle* spans = nullptr;
  ASSERT_TRUE(foreign->CreateColumnFamily({}, "spans", &spans).ok());
  ASSERT_TRUE(foreign->Put(rocksdb::WriteOptions(), spans, "a", "1").ok());
  ASSERT_TRUE(foreign->DestroyColumnFamilyHandle(spans).ok());
  delete foreign;
  EXPECT_THAT(Db::Open(OptionsFor(TestDirectory())), HasReason("STORE_MISMATCH"));
}

TEST(DbTest, RefusesANewerStoreAndLeavesIt) {
  DbOptions newer = OptionsFor(TestDirectory());
  newer.schema_version = 2;
  newer.families.push_back({.name = "from_the_future"});
  { ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(std::move(newer))); }
  EXPECT_THAT(Db::Open(OptionsFor(TestDirectory())),
              AllOf(StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("newer version")),
                    HasReason("STORE_TOO_NEW")));
}

TEST(DbTest, MigratesAnOlderStoreOnce) {
  {
    ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(OptionsFor(TestDirectory())));
    ASSERT_THAT(Put(*db, 0, "a", "1"), IsOk());
  }
  int migrations = 0;
  const auto open = [&](bool can_migrate) {
    DbOptions options = OptionsFor(TestDirectory());
    options.schema_version = 3;
    if (can_migrate) {
      options.migrate = [&](Db& db, uint32_t from) {
        EXPECT_EQ(from, 1);
        ++migrations;
        return Put(db, 0, "a", "migrated");
      };
    }
    return Db::Open(std::move(options));
  };
  EXPECT_THAT(open(false), HasReason("STORE_TOO_OLD"));
  { EXPECT_THAT(open(true), IsOk()); }
  ASSAY_ASSERT_OK_AND_ASSIGN(auto db, open(true));
  EXPECT_EQ(migrations, 1);
  EXPECT_THAT(db->Get(0, "a"), IsOkAndHolds(Optional(Eq("migrated"))));
}

TEST(DbTest, OpensFamiliesThatItDoesNotKnow) {
  DbOptions more = OptionsFor(TestDirectory());
  more.families.insert(more.families.begin(), {.name = "retired"});
  {
    ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(std::move(more)));
    ASSERT_THAT(Put(*db, 1, "a", "span"), IsOk());
  }
  ASSAY_ASSERT_OK_AND_ASSIGN(auto db, Db::Open(OptionsFor(TestDirectory())));
  EXPECT_THAT(db->Get(0, "a"), IsOkAndHolds(Optional(Eq("span"))));
}

}  // namespace
}  // namespace assay::rocks
