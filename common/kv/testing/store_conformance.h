// What every engine of kv::Store must do. An engine's test instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Rocks, StoreConformanceTest, testing::Values(OpenRocksForTest));
#ifndef ASSAY_COMMON_KV_TESTING_STORE_CONFORMANCE_H_
#define ASSAY_COMMON_KV_TESTING_STORE_CONFORMANCE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/counter.h"
#include "common/kv/store.h"
#include "common/kv/transaction.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::kv {

// Opens an empty store.
using StoreFactory = std::unique_ptr<Store> (*)(Executor& executor, Clock& clock);

class StoreConformanceTest : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    store_ = GetParam()(pool_, clock_);
    ASSERT_NE(store_, nullptr);
  }

  absl::Status PutAll(const std::vector<Entry>& entries) {
    Batch batch;
    for (const Entry& entry : entries) batch.Put(entry.key, entry.value);
    return store_->CommitAndWait(std::move(batch));
  }

  std::string Keys(const Reader& reader, const ScanRange& range) {
    std::string keys;
    const auto entries = reader.Scan(range);
    EXPECT_THAT(entries, IsOk());
    if (entries.ok()) {
      for (const Entry& entry : *entries) keys += entry.key + " ";
    }
    return keys;
  }

  int64_t Counter(const std::string& key) {
    const auto value = store_->Get(key);
    EXPECT_THAT(value, IsOk());
    const auto count = CounterOrZero(value.value_or(std::nullopt));
    EXPECT_THAT(count, IsOk());
    return count.value_or(0);
  }

  FakeClock clock_;
  ThreadPool pool_{"store", 2};  // outlives the store
  std::unique_ptr<Store> store_;
};

TEST_P(StoreConformanceTest, ReadsWhatWasCommitted) {
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(testing::Eq(std::nullopt)));
  const std::string binary("\0\xff", 2);
  ASSERT_THAT(PutAll({{"a", "1"}, {"b", ""}, {binary, binary}}), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(testing::Optional(std::string("1"))));
  EXPECT_THAT(store_->Get("b"), IsOkAndHolds(testing::Optional(std::string())));
  EXPECT_THAT(
      store_->MultiGet({"x", binary, "a"}),
      IsOkAndHolds(testing::ElementsAre(testing::Eq(std::nullopt), testing::Optional(binary),
                                        testing::Optional(std::string("1")))));
  Batch batch;
  batch.Delete("a");
  ASSERT_THAT(store_->CommitAndWait(std::move(batch)), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(testing::Eq(std::nullopt)));
}

TEST_P(StoreConformanceTest, ScansARangeInBothDirections) {
  ASSERT_THAT(PutAll({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}), IsOk());
  EXPECT_EQ(Keys(*store_, {}), "a b c d ");
  EXPECT_EQ(Keys(*store_, {.begin = "b", .end = "d"}), "b c ");
  EXPECT_EQ(Keys(*store_, {.begin = "b", .end = "d", .reverse = true}), "c b ");
  EXPECT_EQ(Keys(*store_, {.begin = "aa", .limit = 2}), "b c ");
  EXPECT_EQ(Keys(*store_, {.limit = 1, .reverse = true}), "d ");
  EXPECT_EQ(Keys(*store_, {.begin = "d", .end = "b"}), "");
  EXPECT_THAT(store_->Scan({.limit = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store_->Scan({.limit = kMaxScanEntries + 1}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(StoreConformanceTest, AFailedCheckChangesNothing) {
  ASSERT_THAT(PutAll({{"a", "1"}}), IsOk());
  const auto refused = [&](Batch batch) {
    batch.Put("a", "changed");
    batch.Put("b", "new");
    batch.Add("n", 1);
    const absl::Status status = store_->CommitAndWait(std::move(batch));
    EXPECT_TRUE(IsCheckFailed(status)) << status;
  };
  Batch other_value, absent, present;
  other_value.CheckEquals("a", "2");
  absent.CheckAbsent("a");
  present.CheckEquals("zz", "");
  refused(std::move(other_value));
  refused(std::move(absent));
  refused(std::move(present));
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(testing::Optional(std::string("1"))));
  EXPECT_EQ(Keys(*store_, {}), "a ");

  Batch holds;
  holds.CheckEquals("a", "1");
  holds.CheckAbsent("b");
  holds.Put("b", "2");
  EXPECT_THAT(store_->CommitAndWait(std::move(holds)), IsOk());
}

TEST_P(StoreConformanceTest, OperationsApplyInTheirOrder) {
  Batch batch;
  batch.Put("a", "1");
  batch.Delete("a");
  batch.Put("b", "1");
  batch.Put("b", "2");
  batch.Add("n", 5);
  batch.Delete("n");
  batch.Add("n", 2);
  batch.Put("m", EncodeCounter(40));
  batch.Add("m", 2);
  ASSERT_THAT(store_->CommitAndWait(std::move(batch)), IsOk());
  EXPECT_EQ(Keys(*store_, {}), "b m n ");
  EXPECT_THAT(store_->Get("b"), IsOkAndHolds(testing::Optional(std::string("2"))));
  EXPECT_EQ(Counter("n"), 2);
  EXPECT_EQ(Counter("m"), 42);
}

TEST_P(StoreConformanceTest, CountersAddFromZeroAndWhereNoCounterIs) {
  ASSERT_THAT(PutAll({{"text", "not a counter"}}), IsOk());
  for (const int64_t delta : {3, -10, 2}) {
    Batch batch;
    batch.Add("n", delta);
    batch.Add("text", 1);
    ASSERT_THAT(store_->CommitAndWait(std::move(batch)), IsOk());
  }
  EXPECT_EQ(Counter("n"), -5);
  EXPECT_EQ(Counter("text"), 3);
  Batch expiring;
  expiring.Put("e", EncodeCounter(7), clock_.Now() + absl::Hours(1));
  expiring.Add("e", 1);
  ASSERT_THAT(store_->CommitAndWait(std::move(expiring)), IsOk());
  EXPECT_EQ(Counter("e"), 1);
}

TEST_P(StoreConformanceTest, ExpiredEntriesAreInvisible) {
  const absl::Time expiry = clock_.Now() + absl::Hours(1);
  Batch batch;
  batch.Put("a", "stays");
  batch.Put("b", "goes", expiry);
  batch.Put("c", "later", expiry + absl::Hours(1));
  ASSERT_THAT(store_->CommitAndWait(std::move(batch)), IsOk());
  clock_.Set(expiry - absl::Microseconds(1));
  EXPECT_EQ(Keys(*store_, {}), "a b c ");
  clock_.Set(expiry);
  EXPECT_EQ(Keys(*store_, {.limit = 2}), "a c ");
  EXPECT_THAT(store_->Get("b"), IsOkAndHolds(testing::Eq(std::nullopt)));
  EXPECT_THAT(store_->MultiGet({"b"}),
              IsOkAndHolds(testing::ElementsAre(testing::Eq(std::nullopt))));
  Batch again;
  again.CheckAbsent("b");
  again.Put("b", "back");
  ASSERT_THAT(store_->CommitAndWait(std::move(again)), IsOk());
  clock_.Advance(absl::Hours(24));
  EXPECT_EQ(Keys(*store_, {}), "a b ");
}

TEST_P(StoreConformanceTest, ASnapshotStaysAsItWas) {
  ASSERT_THAT(PutAll({{"a", "1"}, {"b", "1"}}), IsOk());
  const auto snapshot = store_->Snapshot();
  ASSERT_THAT(PutAll({{"a", "2"}, {"c", "2"}}), IsOk());
  EXPECT_THAT(snapshot->Get("a"), IsOkAndHolds(testing::Optional(std::string("1"))));
  EXPECT_THAT(snapshot->MultiGet({"a", "c"}),
              IsOkAndHolds(testing::ElementsAre(testing::Optional(std::string("1")),
                                                testing::Eq(std::nullopt))));
  EXPECT_EQ(Keys(*snapshot, {}), "a b ");
  EXPECT_EQ(Keys(*store_, {}), "a b c ");
}

TEST_P(StoreConformanceTest, RefusesBadKeysAndHugeBatches) {
  EXPECT_THAT(PutAll({{"good", "1"}, {"", "1"}}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PutAll({{std::string(kMaxKeyBytes, 'k'), "1"}}), IsOk());
  EXPECT_THAT(PutAll({{std::string(kMaxKeyBytes + 1, 'k'), "1"}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PutAll({{"big", std::string(kMaxBatchBytes, 'x')}}), HasReason("BATCH_TOO_LARGE"));
  EXPECT_THAT(store_->Get("good"), IsOkAndHolds(testing::Eq(std::nullopt)));
}

TEST_P(StoreConformanceTest, AnswersOnTheExecutor) {
  const std::thread::id caller = std::this_thread::get_id();
  for (const std::string& key : {std::string("a"), std::string()}) {
    Notification answered;
    Batch batch;
    batch.Put(key, "1");
    store_->Commit(std::move(batch), [&](absl::Status status) {
      EXPECT_EQ(status.ok(), !key.empty());
      EXPECT_NE(std::this_thread::get_id(), caller);
      answered.Notify();
    });
    ASSERT_TRUE(answered.WaitFor(absl::Seconds(30)));
  }
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(testing::Optional(std::string("1"))));
}

TEST_P(StoreConformanceTest, ConcurrentTransactionsLoseNoUpdate) {
  constexpr int kTransactions = 40;
  std::atomic<int> committed = 0;
  std::atomic<int> left = kTransactions;
  Notification finished;
  for (int i = 0; i < kTransactions; ++i) {
    RunTransaction(
        *store_, pool_,
        [](Transaction& transaction) -> absl::Status {
          const auto value = transaction.Get("total");
          if (!value.ok()) return value.status();
          transaction.Put("total", std::to_string(std::stoi(value->value_or("0")) + 1));
          transaction.Add("counted", 1);
          return absl::OkStatus();
        },
        [&](absl::Status status) {
          committed += status.ok();
          if (--left == 0) finished.Notify();
        });
  }
  ASSERT_TRUE(finished.WaitFor(absl::Seconds(60)));
  EXPECT_GT(committed, 0);
  EXPECT_THAT(store_->Get("total"), IsOkAndHolds(testing::Optional(std::to_string(committed))));
  EXPECT_EQ(Counter("counted"), committed);
}

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_TESTING_STORE_CONFORMANCE_H_
