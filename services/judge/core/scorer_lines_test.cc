#include "services/judge/core/scorer_lines.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/exec/executor.h"
#include "common/status/status_matchers.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

constexpr absl::Duration kSoon = absl::Seconds(20);

// Keeps every call until the test answers it.
class HeldScorers final : public ScorerPort {
 public:
  void Score(const v1::Scorer&, v1::ScoreRequest, CallContext,
             Done<v1::ScoreResponse> done) override {
    MutexLock lock(&mutex_);
    held_.push_back(std::move(done));
    changed_.SignalAll();
  }
  // Waits until so many are there.
  size_t WaitFor(size_t count) {
    MutexLock lock(&mutex_);
    while (held_.size() < count) changed_.Wait(&mutex_);
    return held_.size();
  }
  void AnswerFirst() {
    Done<v1::ScoreResponse> done;
    {
      MutexLock lock(&mutex_);
      done = std::move(held_.front());
      held_.erase(held_.begin());
    }
    std::move(done)(v1::ScoreResponse());
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<Done<v1::ScoreResponse>> held_ ABSL_GUARDED_BY(mutex_);
};

struct Call {
  Notification ended;
  absl::Status status;
};

class ScorerLinesTest : public testing::Test {
 protected:
  ~ScorerLinesTest() override { executor_.Shutdown(); }

  std::shared_ptr<Call> Begin(CallContext context = {},
                              const std::string& address = "127.0.0.1:1") {
    v1::Scorer scorer;
    scorer.set_address(address);
    scorer.set_max_concurrency(1);
    auto call = std::make_shared<Call>();
    lines_.Score(scorer, {}, std::move(context),
                 [call](const absl::StatusOr<v1::ScoreResponse>& response) {
                   call->status = response.status();
                   call->ended.Notify();
                 });
    return call;
  }
  static absl::Status End(const std::shared_ptr<Call>& call) {
    return call->ended.WaitFor(kSoon) ? call->status : absl::UnknownError("it never ended");
  }

  ThreadPool executor_{"test", 2};
  ThreadTimerQueue timers_;
  HeldScorers inner_;
  ScorerLines lines_{inner_, executor_, timers_, /*max_waiting=*/2};
};

TEST_F(ScorerLinesTest, CallsOfOneServerWaitForEachOther) {
  auto first = Begin();
  auto second = Begin();
  auto elsewhere = Begin({}, "127.0.0.1:2");
  EXPECT_EQ(inner_.WaitFor(2), 2u);
  inner_.AnswerFirst();
  EXPECT_THAT(End(first), IsOk());
  EXPECT_EQ(inner_.WaitFor(2), 2u);
  inner_.AnswerFirst();
  inner_.AnswerFirst();
  EXPECT_THAT(End(second), IsOk());
  EXPECT_THAT(End(elsewhere), IsOk());
}

TEST_F(ScorerLinesTest, NestedCallsDoNotWaitForTheirCallers) {
  auto outer = Begin();
  auto nested = Begin({.depth = 1});
  EXPECT_EQ(inner_.WaitFor(2), 2u);
  inner_.AnswerFirst();
  inner_.AnswerFirst();
  EXPECT_THAT(End(outer), IsOk());
  EXPECT_THAT(End(nested), IsOk());
}

TEST_F(ScorerLinesTest, ACancelledCallLeavesTheLine) {
  auto first = Begin();
  auto cancel = std::make_shared<CancellationToken>();
  auto second = Begin({.cancel = cancel});
  cancel->Cancel();
  EXPECT_THAT(End(second), StatusIs(absl::StatusCode::kCancelled));
  inner_.AnswerFirst();
  EXPECT_THAT(End(first), IsOk());
}

TEST_F(ScorerLinesTest, ALateCallLeavesTheLine) {
  auto first = Begin();
  auto second = Begin({.deadline = absl::Now() + absl::Milliseconds(1)});
  EXPECT_THAT(End(second), HasReason("SCORER_TIMEOUT"));
  inner_.AnswerFirst();
  EXPECT_THAT(End(first), IsOk());
}

TEST_F(ScorerLinesTest, AFullLineRefuses) {
  std::vector<std::shared_ptr<Call>> calls = {Begin(), Begin(), Begin()};
  EXPECT_THAT(End(Begin()), HasReason("OVERLOADED"));
  for (const auto& call : calls) {
    inner_.WaitFor(1);
    inner_.AnswerFirst();
    EXPECT_THAT(End(call), IsOk());
  }
}

}  // namespace
}  // namespace assay::judge
