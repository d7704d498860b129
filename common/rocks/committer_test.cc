#include "common/rocks/committer.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/exec/executor.h"
#include "common/rocks/int64_add.h"
#include "common/rocks/testing/faulty_file_system.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rocks {
namespace {

using testing::AllOf;
using testing::Eq;
using testing::Optional;

class CommitterTest : public testing::Test {
 protected:
  CommitterTest()
      : path_(testing::TempDir() + "/" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {}

  std::unique_ptr<Db> OpenAt(const std::string& path) {
    DbOptions options;
    options.path = path;
    options.store_name = "committer";
    options.env = files_.env();
    options.families = {{.name = "data"},
                        {.name = "counts", .merge_operator = NewInt64AddOperator()}};
    auto db = Db::Open(std::move(options));
    EXPECT_THAT(db, IsOk());
    return db.ok() ? *std::move(db) : nullptr;
  }

  static WriteBatch PutBatch(const Db& db, const std::string& key, const std::string& value) {
    WriteBatch batch;
    EXPECT_TRUE(batch.Put(db.family(0), key, value).ok());
    return batch;
  }

  static Check Absent(const std::string& key) {
    return {0, key, [](std::optional<std::string_view> current) {
              return current.has_value() ? absl::AbortedError("present") : absl::OkStatus();
            }};
  }

  FaultyFileSystem files_;
  const std::string path_;
  ThreadPool pool_{"test", 2};
};

// Holds the committer thread inside a check until it is released.
struct Gate {
  Notification entered;
  Notification release;

  Check AsCheck() {
    return {0, "gate", [this](std::optional<std::string_view>) {
              entered.Notify();
              release.Wait();
              return absl::OkStatus();
            }};
  }
};

TEST_F(CommitterTest, WritesWhatWaitsAsOneGroup) {
  const auto db = OpenAt(path_);
  std::atomic<int> finished = 0;
  std::vector<std::string> order;
  {
    Committer committer(*db, pool_);
    Gate gate;
    committer.Commit(
        PutBatch(*db, "first", "x"),
        [&] {
          std::vector<Check> checks;
          checks.push_back(gate.AsCheck());
          return checks;
        }(),
        [&](absl::Status status) { finished += status.ok(); });
    gate.entered.Wait();
    for (int i = 0; i < 50; ++i) {
      WriteBatch batch;
      ASSERT_TRUE(batch.Put(db->family(0), "last", std::to_string(i)).ok());
      ASSERT_TRUE(batch.Merge(db->family(1), "sum", EncodeFixedInt64(i)).ok());
      committer.Commit(std::move(batch), [&](absl::Status status) { finished += status.ok(); });
    }
    EXPECT_GT(committer.queued_bytes(), 0);
    gate.release.Notify();
    EXPECT_THAT(committer.CommitAndWait(PutBatch(*db, "end", "x")), IsOk());
    EXPECT_EQ(committer.batches_written(), 52);
    EXPECT_LE(committer.groups_written(), 3);
    EXPECT_EQ(committer.queued_bytes(), 0);
  }
  pool_.Shutdown();
  EXPECT_EQ(finished, 51);
  EXPECT_THAT(db->Get(0, "last"), IsOkAndHolds(Optional(Eq("49"))));
  EXPECT_THAT(db->Get(1, "sum"), IsOkAndHolds(Optional(Eq(EncodeFixedInt64(49 * 50 / 2)))));
}

TEST_F(CommitterTest, OfManyThatCreateOneKeyOneSucceeds) {
  const auto db = OpenAt(path_);
  Committer committer(*db, pool_);
  std::atomic<int> winners = 0;
  std::atomic<int> losers = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string key = "key" + std::to_string(i);
        std::vector<Check> checks;
        checks.push_back(Absent(key));
        const absl::Status status =
            committer.CommitAndWait(PutBatch(*db, key, std::to_string(t)), std::move(checks));
        (status.ok() ? winners : losers) += 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 25);
  EXPECT_EQ(losers, 75);
}

TEST_F(CommitterTest, RefusesWhenItsQueueIsFull) {
  const auto db = OpenAt(path_);
  Committer committer(*db, pool_, {.max_queued_bytes = 4000});
  Gate gate;
  std::vector<Check> checks;
  checks.push_back(gate.AsCheck());
  Notification first;
  committer.Commit(PutBatch(*db, "a", std::string(2000, 'x')), std::move(checks),
                   [&](absl::Status) { first.Notify(); });
  gate.entered.Wait();
  EXPECT_THAT(committer.CommitAndWait(PutBatch(*db, "b", std::string(3000, 'x'))),
              AllOf(StatusIs(absl::StatusCode::kUnavailable), HasReason("OVERLOADED")));
  Notification refused;
  committer.Commit(PutBatch(*db, "b", std::string(3000, 'x')), [&](absl::Status status) {
    EXPECT_THAT(status, HasReason("OVERLOADED"));
    refused.Notify();
  });
  refused.Wait();
  gate.release.Notify();
  first.Wait();
  EXPECT_THAT(committer.CommitAndWait(PutBatch(*db, "b", std::string(9000, 'x'))), IsOk());
}

TEST_F(CommitterTest, WhatIsAcknowledgedSurvivesALossOfPower) {
  const auto db = OpenAt(path_);
  Committer committer(*db, pool_);
  for (int round = 0; round < 5; ++round) {
    ASSERT_THAT(committer.CommitAndWait(PutBatch(*db, "key" + std::to_string(round), "x")), IsOk());
    const std::string copy = path_ + ".copy" + std::to_string(round);
    ASSERT_TRUE(files_.CopyWhatIsSynced(path_, copy));
    const auto recovered = OpenAt(copy);
    for (int i = 0; i <= round; ++i) {
      EXPECT_THAT(recovered->Get(0, "key" + std::to_string(i)), IsOkAndHolds(Optional(Eq("x"))));
    }
  }
}

TEST_F(CommitterTest, GoesOnAfterAFullDiskAndLosesNothing) {
  const auto db = OpenAt(path_);
  Committer committer(*db, pool_);
  ASSERT_THAT(committer.CommitAndWait(PutBatch(*db, "before", "x")), IsOk());
  files_.SetFull(true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(committer.CommitAndWait(PutBatch(*db, "during", std::string(5000, 'x'))),
                AllOf(StatusIs(absl::StatusCode::kUnavailable), HasReason("STORAGE_FULL")));
  }
  EXPECT_THAT(db->Get(0, "before"), IsOkAndHolds(Optional(Eq("x"))));
  files_.SetFull(false);
  // RocksDB looks for space every few seconds.
  absl::Status after;
  for (int tries = 0; tries < 300; ++tries) {
    after = committer.CommitAndWait(PutBatch(*db, "after", "x"));
    if (after.ok() || Notification().WaitFor(absl::Milliseconds(100))) break;
  }
  ASSERT_THAT(after, IsOk());

  const std::string copy = path_ + ".copy";
  ASSERT_TRUE(files_.CopyWhatIsSynced(path_, copy));
  const auto recovered = OpenAt(copy);
  EXPECT_THAT(recovered->Get(0, "before"), IsOkAndHolds(Optional(Eq("x"))));
  EXPECT_THAT(recovered->Get(0, "after"), IsOkAndHolds(Optional(Eq("x"))));
}

}  // namespace
}  // namespace assay::rocks
