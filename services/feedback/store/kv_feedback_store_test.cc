#include "services/feedback/store/kv_feedback_store.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "assay/storage/v1/feedback_records.pb.h"
#include "common/kv/rocks_store.h"
#include "services/feedback/store/feedback_keys.h"
#include "services/feedback/testing/feedback_store_conformance.h"
#include "services/feedback/testing/in_memory_feedback.h"

namespace assay::feedback {
namespace {

class OnMemory {
 public:
  KvFeedbackStore& store() { return *feedback_.store; }

 private:
  InMemoryFeedback feedback_;
};

class OnRocks {
 public:
  OnRocks() {
    kv::RocksStoreOptions options;
    options.path = FreshDirectory();
    options.store_name = "feedback";
    kv_store_ = *kv::OpenRocksStore(std::move(options), executor_, clock_);
    store_ = *KvFeedbackStore::Open(*kv_store_, executor_, clock_);
  }
  ~OnRocks() { executor_.Shutdown(); }
  KvFeedbackStore& store() { return *store_; }

 private:
  static std::string FreshDirectory() {
    std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/feedback-XXXXXX";
    return mkdtemp(path.data());
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  ThreadPool executor_{"feedback", 2};
  std::unique_ptr<kv::Store> kv_store_;
  std::unique_ptr<KvFeedbackStore> store_;
};

using Engines = testing::Types<OnMemory, OnRocks>;
INSTANTIATE_TYPED_TEST_SUITE_P(Engines, FeedbackStoreConformance, Engines);

class ReopenedFeedbackStoreTest : public testing::Test {
 protected:
  absl::StatusOr<Written> Insert(const std::string& id) {
    v1::Assessment assessment = ExampleFeedback(1, common::v1::SOURCE_KIND_HUMAN);
    assessment.set_name("experiments/support/assessments/" + id);
    assessment.set_valid(true);
    return Await<Written>([&](Done<Written> done) {
      feedback_.store->Insert({}, {assessment}, FeedbackStore::IfTaken::kRefuse, std::move(done));
    });
  }
  void Reopen() {
    feedback_.store.reset();
    feedback_.store =
        *KvFeedbackStore::Open(feedback_.kv_store, feedback_.executor, feedback_.clock);
  }

  InMemoryFeedback feedback_;
};

TEST_F(ReopenedFeedbackStoreTest, KeepsItsIdentityAndCountsOn) {
  const std::string id = feedback_.store->StoreId();
  const int64_t before = Insert("a")->sequence;
  Reopen();
  EXPECT_EQ(feedback_.store->StoreId(), id);
  EXPECT_EQ(feedback_.store->Pending(10, 1 << 20)->size(), 1u);
  ASSERT_THAT(feedback_.store->Acknowledge(before), IsOk());
  Reopen();
  EXPECT_THAT(*feedback_.store->Pending(10, 1 << 20), testing::IsEmpty());
  EXPECT_GT(Insert("b")->sequence, before);
}

TEST_F(ReopenedFeedbackStoreTest, TellsAgainWhatSurfacedBelowTheAcknowledgedPosition) {
  const int64_t late = Insert("late")->sequence;
  const int64_t later = Insert("later")->sequence;
  const std::string entry = **feedback_.kv_store.Get(OutboxKey(late));
  ASSERT_THAT(feedback_.store->Acknowledge(later), IsOk());
  kv::Batch batch;
  batch.Put(OutboxKey(late), entry);
  ASSERT_THAT(feedback_.kv_store.CommitAndWait(std::move(batch)), IsOk());
  Reopen();
  const auto pending = *feedback_.store->Pending(10, 1 << 20);
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_GT(pending[0].sequence(), later);
  EXPECT_EQ(pending[0].digest().assessment(), "experiments/support/assessments/late");
}

TEST_F(ReopenedFeedbackStoreTest, AWriteThatFailsHoldsNothingBack) {
  feedback_.kv_store.FailCommitsWith(absl::UnavailableError("the disk is full"));
  EXPECT_THAT(Insert("a"), StatusIs(absl::StatusCode::kUnavailable));
  feedback_.kv_store.FailCommitsWith(absl::OkStatus());
  ASSERT_THAT(Insert("b"), IsOk());
  EXPECT_EQ(feedback_.store->Pending(10, 1 << 20)->size(), 1u);
}

}  // namespace
}  // namespace assay::feedback
