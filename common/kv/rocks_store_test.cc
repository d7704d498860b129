#include "common/kv/rocks_store.h"

#include <memory>
#include <string>
#include <utility>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/store_conformance.h"
#include "common/rocks/testing/faulty_file_system.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::kv {
namespace {

using testing::Eq;
using testing::Optional;

std::string TestDirectory() {
  std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  for (char& c : name) c = c == '/' ? '_' : c;
  return testing::TempDir() + "/" + name;
}

RocksStoreOptions OptionsFor(const std::string& path) {
  RocksStoreOptions options;
  options.path = path;
  options.store_name = "test";
  return options;
}

std::unique_ptr<Store> OpenRocks(Executor& executor, Clock& clock) {
  auto store = OpenRocksStore(OptionsFor(TestDirectory()), executor, clock);
  EXPECT_THAT(store, IsOk());
  return store.ok() ? *std::move(store) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Rocks, StoreConformanceTest, testing::Values(OpenRocks));

class RocksStoreTest : public testing::Test {
 protected:
  static absl::Status Put(Store& store, const std::string& key, const std::string& value) {
    Batch batch;
    batch.Put(key, value);
    batch.Add("puts", 1);
    return store.CommitAndWait(std::move(batch));
  }

  FakeClock clock_;
  ThreadPool pool_{"store", 2};
};

TEST_F(RocksStoreTest, KeepsEntriesCountersAndExpiriesAcrossReopening) {
  const absl::Time expiry = clock_.Now() + absl::Hours(1);
  {
    const auto store = OpenRocks(pool_, clock_);
    ASSERT_THAT(Put(*store, "a", "1"), IsOk());
    ASSERT_THAT(Put(*store, "b", "1"), IsOk());
    Batch batch;
    batch.Put("c", "1", expiry);
    ASSERT_THAT(store->CommitAndWait(std::move(batch)), IsOk());
  }
  const auto store = OpenRocks(pool_, clock_);
  EXPECT_THAT(store->Get("a"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_THAT(store->Get("puts"), IsOkAndHolds(Optional(Eq(EncodeCounter(2)))));
  EXPECT_THAT(store->Get("c"), IsOkAndHolds(Optional(Eq("1"))));
  clock_.Set(expiry);
  EXPECT_THAT(store->Get("c"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(RocksStoreTest, AnswersQueuedCommitsBeforeItCloses) {
  std::atomic<int> committed = 0;
  {
    const auto store = OpenRocks(pool_, clock_);
    for (int i = 0; i < 100; ++i) {
      Batch batch;
      batch.Put("key" + std::to_string(i), "1");
      store->Commit(std::move(batch), [&](absl::Status status) { committed += status.ok(); });
    }
  }
  pool_.Shutdown();
  EXPECT_EQ(committed, 100);
}

TEST_F(RocksStoreTest, MigratesThroughTheStoreInterface) {
  {
    const auto store = OpenRocks(pool_, clock_);
    ASSERT_THAT(Put(*store, "old", "1"), IsOk());
  }
  RocksStoreOptions options = OptionsFor(TestDirectory());
  options.schema_version = 2;
  options.migrate = [](Store& store, uint32_t from) {
    EXPECT_EQ(from, 1);
    return Put(store, "new", "2");
  };
  ASSAY_ASSERT_OK_AND_ASSIGN(auto store, OpenRocksStore(std::move(options), pool_, clock_));
  EXPECT_THAT(store->Get("new"), IsOkAndHolds(Optional(Eq("2"))));
  store.reset();
  EXPECT_THAT(OpenRocksStore(OptionsFor(TestDirectory()), pool_, clock_),
              HasReason("STORE_TOO_NEW"));
}

TEST_F(RocksStoreTest, AFullDiskRefusesCommitsAndLosesNothing) {
  rocks::FaultyFileSystem files;
  RocksStoreOptions options = OptionsFor(TestDirectory());
  options.env = files.env();
  ASSAY_ASSERT_OK_AND_ASSIGN(auto store, OpenRocksStore(std::move(options), pool_, clock_));
  ASSERT_THAT(Put(*store, "before", "1"), IsOk());
  files.SetFull(true);
  EXPECT_THAT(Put(*store, "during", std::string(3000, 'x')), HasReason("STORAGE_FULL"));
  EXPECT_THAT(store->Get("before"), IsOkAndHolds(Optional(Eq("1"))));

  const std::string copy = TestDirectory() + ".copy";
  ASSERT_TRUE(files.CopyWhatIsSynced(TestDirectory(), copy));
  ASSAY_ASSERT_OK_AND_ASSIGN(auto recovered, OpenRocksStore(OptionsFor(copy), pool_, clock_));
  EXPECT_THAT(recovered->Get("before"), IsOkAndHolds(Optional(Eq("1"))));
}

}  // namespace
}  // namespace assay::kv
