#include "common/kv/testing/memory_store.h"

#include <memory>

#include "common/kv/testing/store_conformance.h"

namespace assay::kv {
namespace {

std::unique_ptr<Store> OpenMemory(Executor& executor, Clock& clock) {
  return std::make_unique<MemoryStore>(executor, clock);
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformanceTest, testing::Values(OpenMemory));

TEST(MemoryStoreTest, FailsCommitsWhenTold) {
  FakeClock clock;
  InlineExecutor executor;
  MemoryStore store(executor, clock);
  store.FailCommitsWith(absl::UnavailableError("disk"));
  Batch batch;
  batch.Put("a", "1");
  EXPECT_THAT(store.CommitAndWait(batch), StatusIs(absl::StatusCode::kUnavailable));
  store.FailCommitsWith(absl::OkStatus());
  EXPECT_THAT(store.CommitAndWait(batch), IsOk());
}

}  // namespace
}  // namespace assay::kv
