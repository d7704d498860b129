// Limits, retries and circuit among threads: every call is answered once, and no slot is lost.
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "gtest/gtest.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/limits/circuit_model_client.h"
#include "services/judge/clients/limits/limited_model_client.h"
#include "services/judge/clients/limits/retrying_model_client.h"

namespace assay::judge {
namespace {

// Every third attempt is too much, every seventh fails, the others are answered.
class MoodyModel final : public ModelClient {
 public:
  explicit MoodyModel(Executor* executor) : executor_(executor) {}
  void Complete(ModelRequest, CallContext, Done<ModelResponse> done) override {
    const int number = count_.fetch_add(1);
    executor_->Run([number, done = std::move(done)]() mutable {
      if (number % 3 == 0) {
        return std::move(done)(
            MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "much",
                                    {{"http_status", "429"}}),
                          absl::Milliseconds(1)));
      }
      if (number % 7 == 0) {
        return std::move(done)(
            MarkRetriable(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "down")));
      }
      std::move(done)(ModelResponse{});
    });
  }

 private:
  Executor* const executor_;
  std::atomic<int> count_ = 0;
};

TEST(LimitsThreadsTest, EveryCallIsAnsweredOnceAndNoSlotIsLost) {
  constexpr int kCalls = 3000;
  ThreadPool pool("test", 4);
  ThreadTimerQueue timers;
  auto limited = std::make_unique<LimitedModelClient>(
      std::make_unique<MoodyModel>(&pool),
      LimitedModelClient::Options{.name = "x:/", .max_in_flight = 16, .max_queued = 2 * kCalls},
      LimitedModelClient::Dependencies{&pool, &timers, &SystemClock()});
  LimitedModelClient* const limits = limited.get();
  RetryPolicy policy;
  policy.max_attempts = 50;
  policy.base_delay = absl::Milliseconds(1);
  policy.max_delay = absl::Milliseconds(5);
  auto retrying = std::make_unique<RetryingModelClient>(
      std::move(limited), policy,
      RetryingModelClient::Dependencies{&pool, &timers, &SystemClock(), [] { return 0.5; }});
  CircuitModelClient client(std::move(retrying), {}, &pool, &SystemClock());

  std::vector<std::shared_ptr<CancellationToken>> tokens;
  std::atomic<int> answered = 0;
  std::atomic<int> good = 0;
  Notification all;
  for (int i = 0; i < kCalls; ++i) {
    CallContext context;
    context.cancel = std::make_shared<CancellationToken>();
    context.depth = i % 5 == 0 ? 1 : 0;
    context.priority = i % 2 == 0 ? Priority::kJob : Priority::kInteractive;
    tokens.push_back(context.cancel);
    client.Complete({.model_uri = "x:/m"}, context, [&](absl::StatusOr<ModelResponse> answer) {
      if (answer.ok()) good.fetch_add(1);
      if (answered.fetch_add(1) + 1 == kCalls) all.Notify();
    });
    if (i % 10 == 9) pool.Run([token = tokens[i - 4]] { token->Cancel(); });
  }
  ASSERT_TRUE(all.WaitFor(absl::Minutes(2)));
  EXPECT_GE(good.load(), kCalls * 8 / 10);
  pool.Shutdown();
  EXPECT_EQ(limits->Stats().in_flight, 0);
  EXPECT_EQ(limits->Stats().queued, 0);
}

}  // namespace
}  // namespace assay::judge
