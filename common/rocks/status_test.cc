#include "common/rocks/status.h"

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rocks {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(StatusTest, OkStaysOk) { EXPECT_THAT(FromRocks(rocksdb::Status::OK(), "get"), IsOk()); }

TEST(StatusTest, AFullDiskIsUnavailable) {
  EXPECT_THAT(FromRocks(rocksdb::Status::NoSpace(), "commit"),
              AllOf(StatusIs(absl::StatusCode::kUnavailable, HasSubstr("commit")),
                    HasReason("STORAGE_FULL")));
}

TEST(StatusTest, CorruptionIsDataLoss) {
  EXPECT_THAT(FromRocks(rocksdb::Status::Corruption("bad block"), "scan"),
              AllOf(StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bad block")),
                    HasReason("STORAGE_CORRUPT")));
}

TEST(StatusTest, OtherErrorsOfTheDiskAreInternal) {
  EXPECT_THAT(FromRocks(rocksdb::Status::IOError("short read"), "get"),
              AllOf(StatusIs(absl::StatusCode::kInternal), HasReason("STORAGE_IO_ERROR")));
}

}  // namespace
}  // namespace assay::rocks
