// Shared calls among threads: everyone is answered once, whoever else goes.
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "gtest/gtest.h"
#include "services/judge/core/cache/cached_model_client.h"

namespace assay::judge {
namespace {

class ForgetfulCache final : public ResponseCache {
 public:
  std::optional<ModelResponse> Find(const std::string&) override { return std::nullopt; }
  void Keep(const std::string&, const ModelResponse&) override {}
};

// Answers after a moment, or says that it was cancelled.
class SlowModel final : public ModelClient {
 public:
  SlowModel(Executor* executor, TimerQueue* timers) : executor_(executor), timers_(timers) {}
  void Complete(ModelRequest, CallContext context, Done<ModelResponse> done) override {
    calls.fetch_add(1);
    timers_->RunAfter(absl::Milliseconds(1), [this, context, done = std::move(done)]() mutable {
      executor_->Run([context, done = std::move(done)]() mutable {
        if (context.Cancelled()) return std::move(done)(absl::CancelledError("given up"));
        std::move(done)(ModelResponse{});
      });
    });
  }
  std::atomic<int> calls = 0;

 private:
  Executor* const executor_;
  TimerQueue* const timers_;
};

TEST(CacheThreadsTest, EveryoneIsAnsweredOnce) {
  constexpr int kCalls = 4000;
  ThreadPool pool("test", 4);
  ThreadTimerQueue timers;
  SlowModel model(&pool, &timers);
  ForgetfulCache cache;
  std::atomic<int> hits = 0;
  CachedModelClient client(
      model, cache, CacheMode::kAll,
      {.executor = &pool,
       .timers = &timers,
       .clock = &SystemClock(),
       .identity = [](std::string_view) { return std::string("server"); },
       .on_hit = [&](const ModelAccount&, const std::string&) { hits.fetch_add(1); }});
  std::atomic<int> answered = 0;
  std::atomic<int> good = 0;
  Notification all;
  for (int i = 0; i < kCalls; ++i) {
    pool.Run([&, i] {
      ModelRequest request;
      request.messages = {{ChatRole::kUser, std::to_string(i % 20)}};
      CallContext context;
      context.cancel = std::make_shared<CancellationToken>();
      if (i % 7 == 0) context.deadline = absl::Now() + absl::Microseconds(500);
      const std::shared_ptr<CancellationToken> cancel = context.cancel;
      client.Complete(std::move(request), context, [&](absl::StatusOr<ModelResponse> answer) {
        if (answer.ok()) good.fetch_add(1);
        if (answered.fetch_add(1) + 1 == kCalls) all.Notify();
      });
      if (i % 3 == 0) pool.Run([cancel] { cancel->Cancel(); });
    });
  }
  ASSERT_TRUE(all.WaitFor(absl::Minutes(2)));
  EXPECT_GE(good.load(), kCalls / 2);
  EXPECT_LE(hits.load(), good.load());
  EXPECT_LT(model.calls.load(), kCalls);
  pool.Shutdown();
}

}  // namespace
}  // namespace assay::judge
