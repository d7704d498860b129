#include "common/kv/transaction.h"

#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/counter.h"
#include "common/kv/testing/memory_store.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::kv {
namespace {

using testing::AllOf;
using testing::Eq;
using testing::Optional;

class TransactionTest : public testing::Test {
 protected:
  void SetUp() override {
    Batch batch;
    for (const char* key : {"a", "b", "c", "d"}) batch.Put(key, "stored");
    batch.Add("n", 10);
    ASSERT_THAT(store_.CommitAndWait(std::move(batch)), IsOk());
  }

  absl::Status PutElsewhere(const std::string& key, const std::string& value) {
    Batch batch;
    batch.Put(key, value);
    return store_.CommitAndWait(std::move(batch));
  }

  static std::string Keys(Transaction& transaction, const ScanRange& range) {
    std::string keys;
    const auto entries = transaction.Scan(range);
    EXPECT_THAT(entries, IsOk());
    for (const Entry& entry : entries.value_or(std::vector<Entry>())) keys += entry.key;
    return keys;
  }

  FakeClock clock_;
  InlineExecutor executor_;
  MemoryStore store_{executor_, clock_};
};

TEST_F(TransactionTest, ReadsItsOwnWrites) {
  Transaction transaction(store_);
  transaction.Put("a", "mine");
  transaction.Delete("b");
  transaction.Add("n", 5);
  transaction.Add("m", 1);
  EXPECT_THAT(transaction.Get("a"), IsOkAndHolds(Optional(Eq("mine"))));
  EXPECT_THAT(transaction.GetUnchecked("b"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(transaction.Get("n"), IsOkAndHolds(Optional(Eq(EncodeCounter(15)))));
  EXPECT_THAT(transaction.MultiGet({"b", "c", "m"}),
              IsOkAndHolds(testing::ElementsAre(Eq(std::nullopt), Optional(Eq("stored")),
                                                Optional(Eq(EncodeCounter(1))))));
}

TEST_F(TransactionTest, ScansOverItsOwnWrites) {
  Transaction transaction(store_);
  transaction.Delete("a");
  transaction.Delete("b");
  transaction.Put("bb", "mine");
  transaction.Put("e", "mine");
  EXPECT_EQ(Keys(transaction, {.end = "n"}), "bbcde");
  EXPECT_EQ(Keys(transaction, {.end = "n", .limit = 2}), "bbc");
  EXPECT_EQ(Keys(transaction, {.end = "n", .limit = 2, .reverse = true}), "ed");
  EXPECT_EQ(Keys(transaction, {.end = "n", .reverse = true}), "edcbb");
  EXPECT_EQ(Keys(transaction, {.begin = "x", .end = "b"}), "");
}

TEST_F(TransactionTest, ReadsOneSnapshot) {
  Transaction transaction(store_);
  EXPECT_THAT(transaction.Get("a"), IsOk());
  ASSERT_THAT(PutElsewhere("b", "later"), IsOk());
  EXPECT_THAT(transaction.Get("b"), IsOkAndHolds(Optional(Eq("stored"))));
}

TEST_F(TransactionTest, RunsAgainWhenWhatItReadHasChanged) {
  int runs = 0;
  absl::Status result = absl::UnknownError("not called");
  RunTransaction(
      store_, executor_,
      [&](Transaction& transaction) -> absl::Status {
        const auto value = transaction.Get("a");
        if (++runs == 1) {
          EXPECT_THAT(PutElsewhere("a", "other"), IsOk());
        }
        transaction.Put("copy", **value);
        return absl::OkStatus();
      },
      [&](absl::Status status) { result = std::move(status); });
  EXPECT_THAT(result, IsOk());
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(store_.Get("copy"), IsOkAndHolds(Optional(Eq("other"))));
}

TEST_F(TransactionTest, WhatWasReadUncheckedMayChange) {
  int runs = 0;
  EXPECT_THAT(RunTransactionAndWait(store_,
                                    [&](Transaction& transaction) -> absl::Status {
                                      ++runs;
                                      EXPECT_THAT(transaction.GetUnchecked("a"), IsOk());
                                      EXPECT_THAT(PutElsewhere("a", "other"), IsOk());
                                      transaction.Put("copy", "x");
                                      return absl::OkStatus();
                                    }),
              IsOk());
  EXPECT_EQ(runs, 1);
}

TEST_F(TransactionTest, GivesUpUnderEndlessContention) {
  int runs = 0;
  const auto body = [&](Transaction& transaction) -> absl::Status {
    EXPECT_THAT(transaction.Get("a"), IsOk());
    EXPECT_THAT(PutElsewhere("a", std::to_string(++runs)), IsOk());
    transaction.Put("copy", "x");
    return absl::OkStatus();
  };
  absl::Status result;
  RunTransaction(store_, executor_, body, [&](absl::Status status) { result = std::move(status); });
  EXPECT_THAT(result, AllOf(StatusIs(absl::StatusCode::kAborted), HasReason("CONTENTION")));
  EXPECT_EQ(runs, kMaxTransactionTries);
  EXPECT_THAT(RunTransactionAndWait(store_, body), HasReason("CONTENTION"));
  EXPECT_THAT(store_.Get("copy"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(TransactionTest, AnErrorOfItsBodyWritesNothing) {
  absl::Status result;
  RunTransaction(
      store_, executor_,
      [](Transaction& transaction) -> absl::Status {
        transaction.Put("a", "changed");
        return absl::NotFoundError("nothing");
      },
      [&](absl::Status status) { result = std::move(status); });
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_.Get("a"), IsOkAndHolds(Optional(Eq("stored"))));
}

}  // namespace
}  // namespace assay::kv
