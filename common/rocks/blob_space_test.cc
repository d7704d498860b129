#include "common/rocks/blob_space.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/rocks/db.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"

namespace assay::rocks {
namespace {

// Files of values of a kilobyte, a hundred a file, merged by size as the large families are.
class BlobSpaceTest : public ::testing::Test {
 protected:
  static constexpr int kValues = 100;
  static constexpr uint64_t kFileBytes = kValues * 1024;

  BlobSpaceTest() {
    DbOptions options;
    options.path = ::testing::TempDir() + "/" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name();
    options.store_name = "test";
    options.families = {{.name = "values", .merged_by_size = true, .min_blob_bytes = 512}};
    auto db = Db::Open(std::move(options));
    EXPECT_OK(db.status());
    db_ = *std::move(db);
  }

  static std::string Key(int file, int value) {
    return "key " + std::to_string(1000 * file + value);
  }

  // What no compression makes smaller.
  std::string Value() {
    std::string value(1024, 0);
    for (char& c : value) c = static_cast<char>((state_ = state_ * 6364136223846793005U + 1) >> 56);
    return value;
  }

  void WriteFile(int file) {
    for (int i = 0; i < kValues; ++i) {
      ASSERT_TRUE(db_->raw().Put({}, db_->family(0), Key(file, i), Value()).ok());
    }
    ASSERT_TRUE(db_->raw().Flush({}, db_->family(0)).ok());
  }

  void Delete(int file, int values) {
    for (int i = 0; i < values; ++i) {
      ASSERT_TRUE(db_->raw().Delete({}, db_->family(0), Key(file, i)).ok());
    }
    ASSERT_TRUE(db_->raw().Flush({}, db_->family(0)).ok());
  }

  uint64_t Bytes() {
    uint64_t bytes = 0;
    db_->raw().GetIntProperty(db_->family(0), rocksdb::DB::Properties::kLiveBlobFileSize, &bytes);
    return bytes;
  }

  uint64_t state_ = 42;
  std::unique_ptr<Db> db_;
};

TEST_F(BlobSpaceTest, RemovesFilesThatNobodyRefersTo) {
  WriteFile(0);
  WriteFile(1);
  Delete(1, kValues);
  ASSERT_OK(ReclaimBlobSpace(*db_, 0));
  EXPECT_LT(Bytes(), kFileBytes * 3 / 2);
  EXPECT_THAT(db_->Get(0, Key(0, 7)), IsOkAndHolds(::testing::Ne(std::nullopt)));
}

TEST_F(BlobSpaceTest, MovesWhatIsLeftInFilesThatAreMostlyFree) {
  WriteFile(0);
  WriteFile(1);
  Delete(0, kValues / 2);
  ASSERT_OK(ReclaimBlobSpace(*db_, 0));
  EXPECT_LT(Bytes(), kFileBytes * 7 / 4);
  for (int i = kValues / 2; i < kValues; ++i) {
    EXPECT_THAT(db_->Get(0, Key(0, i)), IsOkAndHolds(::testing::Ne(std::nullopt)));
  }
}

TEST_F(BlobSpaceTest, LeavesFilesOfWhichLittleIsFree) {
  WriteFile(0);
  WriteFile(1);
  Delete(0, kValues / 20);
  const uint64_t before = Bytes();
  ASSERT_OK(ReclaimBlobSpace(*db_, 0));
  EXPECT_EQ(Bytes(), before);
}

TEST_F(BlobSpaceTest, EndsWhenItIsCanceled) {
  WriteFile(0);
  Delete(0, kValues);
  std::atomic<bool> canceled{true};
  EXPECT_FALSE(ReclaimBlobSpace(*db_, 0, &canceled).ok());
  EXPECT_GT(Bytes(), kFileBytes / 2);
}

}  // namespace
}  // namespace assay::rocks
