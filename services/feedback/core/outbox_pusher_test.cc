#include "services/feedback/core/outbox_pusher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "common/clock/fake_timer.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/feedback/testing/example_assessments.h"
#include "services/feedback/testing/fake_trace_port.h"
#include "services/feedback/testing/in_memory_feedback.h"

namespace assay::feedback {
namespace {

absl::Status Unreachable() {
  return MakeError(absl::StatusCode::kUnavailable, "PEER_UNREACHABLE", "no answer");
}

class OutboxPusherTest : public testing::Test {
 protected:
  ~OutboxPusherTest() override { pusher_.reset(); }

  void StartPusher(OutboxPusherOptions options = {}) {
    pusher_ = std::make_unique<OutboxPusher>(*feedback_.store, projection_, timers_,
                                             feedback_.executor, feedback_.clock, options);
    pusher_->Start();
  }
  // Returns the write's sequence.
  int64_t Insert(const std::string& id) {
    v1::Assessment assessment = ExampleFeedback(1, common::v1::SOURCE_KIND_HUMAN);
    assessment.set_name("experiments/support/assessments/" + id);
    assessment.set_valid(true);
    return Await<Written>([&](Done<Written> done) {
             feedback_.store->Insert({}, {assessment}, FeedbackStore::IfTaken::kRefuse,
                                     std::move(done));
           })
        ->sequence;
  }
  void WaitUntilOutboxIsEmpty() {
    while (!feedback_.store->Pending(1, 1)->empty()) std::this_thread::yield();
  }
  // Until a retry waits for its time, then lets that time come.
  void PassBackoff() {
    while (timers_.pending() == 0) std::this_thread::yield();
    feedback_.clock.Advance(absl::Minutes(1));
  }

  InMemoryFeedback feedback_;
  FakeTimerQueue timers_{&feedback_.clock};
  FakeProjection projection_{feedback_.executor};
  std::unique_ptr<OutboxPusher> pusher_;
};

TEST_F(OutboxPusherTest, TellsWhatWasThereAndWhatComes) {
  Insert("before");
  StartPusher();
  projection_.WaitUntilApplied(Insert("after"));
  WaitUntilOutboxIsEmpty();
  EXPECT_EQ(projection_.state().size(), 2u);
  EXPECT_THAT(projection_.store_ids(), testing::ElementsAre(feedback_.store->StoreId()));
}

TEST_F(OutboxPusherTest, TriesAgainLaterAndLater) {
  projection_.FailNext(3, Unreachable());
  StartPusher();
  const int64_t sequence = Insert("a");
  absl::Duration waited = absl::ZeroDuration();
  for (int failure = 1; failure <= 3; ++failure) {
    projection_.WaitForCalls(failure);
    while (timers_.pending() == 0) std::this_thread::yield();
    const absl::Duration wait = timers_.NextDue() - feedback_.clock.Now();
    EXPECT_GT(wait, waited);
    waited = wait;
    feedback_.clock.Advance(wait);
  }
  projection_.WaitUntilApplied(sequence);
  WaitUntilOutboxIsEmpty();
}

TEST_F(OutboxPusherTest, ALostAnswerHasNoSecondEffect) {
  projection_.FailNext(1, Unreachable(), /*apply=*/true);
  StartPusher();
  const int64_t sequence = Insert("a");
  PassBackoff();
  WaitUntilOutboxIsEmpty();
  EXPECT_THAT(projection_.effects(), testing::ElementsAre(sequence));
}

TEST_F(OutboxPusherTest, GoesOnAfterARestart) {
  projection_.FailNext(1'000'000, Unreachable());
  StartPusher();
  Insert("a");
  const int64_t last = Insert("b");
  projection_.WaitForCalls(1);
  pusher_->Stop();
  pusher_.reset();
  feedback_.store.reset();
  feedback_.store = *KvFeedbackStore::Open(feedback_.kv_store, feedback_.executor, feedback_.clock);
  projection_.FailNext(0, absl::OkStatus());
  StartPusher();
  projection_.WaitUntilApplied(last);
  WaitUntilOutboxIsEmpty();
  EXPECT_EQ(projection_.effects().size(), 2u);
}

TEST_F(OutboxPusherTest, KeepsTheOrderWhileManyWriteAndCallsFail) {
  StartPusher({.max_changes = 7});
  projection_.FailNext(2, Unreachable());
  constexpr int kWriters = 4;
  constexpr int kWritesEach = 25;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, writer] {
      for (int i = 0; i < kWritesEach; ++i) {
        Insert("a" + std::to_string(writer) + "-" + std::to_string(i));
      }
    });
  }
  PassBackoff();
  PassBackoff();
  for (std::thread& writer : writers) writer.join();
  WaitUntilOutboxIsEmpty();
  const std::vector<int64_t> effects = projection_.effects();
  EXPECT_EQ(effects.size(), static_cast<size_t>(kWriters * kWritesEach));
  EXPECT_TRUE(std::is_sorted(effects.begin(), effects.end()));
  EXPECT_EQ(projection_.state().size(), effects.size());
}

TEST_F(OutboxPusherTest, StopsWhileItWaitsToTryAgain) {
  projection_.FailNext(1, Unreachable());
  StartPusher();
  Insert("a");
  while (timers_.pending() == 0) std::this_thread::yield();
  pusher_->Stop();
  EXPECT_EQ(timers_.pending(), 0u);
  EXPECT_EQ(feedback_.store->Pending(10, 1 << 20)->size(), 1u);
}

}  // namespace
}  // namespace assay::feedback
