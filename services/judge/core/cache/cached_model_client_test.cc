#include "services/judge/core/cache/cached_model_client.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::SizeIs;

// What a model was asked. Calls without an answer stay open. For one thread.
struct ModelScript {
  std::deque<absl::StatusOr<ModelResponse>> answers;
  std::deque<Done<ModelResponse>> open;
  std::vector<ModelRequest> requests;
  std::vector<CallContext> contexts;

  void AnswerOpen(absl::StatusOr<ModelResponse> answer) {
    Done<ModelResponse> done = std::move(open.front());
    open.pop_front();
    std::move(done)(std::move(answer));
  }
};

class ScriptedModel final : public ModelClient {
 public:
  explicit ScriptedModel(ModelScript* script) : script_(script) {}
  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override {
    script_->requests.push_back(std::move(request));
    script_->contexts.push_back(std::move(context));
    script_->open.push_back(std::move(done));
    if (script_->answers.empty()) return;
    absl::StatusOr<ModelResponse> answer = std::move(script_->answers.front());
    script_->answers.pop_front();
    script_->AnswerOpen(std::move(answer));
  }

 private:
  ModelScript* const script_;
};

// What came of a call: empty until it is answered.
class ModelAnswer {
 public:
  Done<ModelResponse> Taker() {
    return [shared = shared_](absl::StatusOr<ModelResponse> a) { *shared = std::move(a); };
  }
  bool has_value() const { return shared_->has_value(); }
  const absl::StatusOr<ModelResponse>& operator*() const { return **shared_; }

 private:
  std::shared_ptr<std::optional<absl::StatusOr<ModelResponse>>> shared_ =
      std::make_shared<std::optional<absl::StatusOr<ModelResponse>>>();
};

class InMemoryCache final : public ResponseCache {
 public:
  std::optional<ModelResponse> Find(const std::string& key) override {
    const auto found = kept.find(key);
    if (found == kept.end()) return std::nullopt;
    ModelResponse response = found->second;
    response.cache_hit = true;
    response.attempts = 0;
    response.input_tokens = 0;
    return response;
  }
  void Keep(const std::string& key, const ModelResponse& response) override {
    kept[key] = response;
  }
  std::map<std::string, ModelResponse> kept;
};

ModelResponse Text(std::string text) {
  ModelResponse response;
  response.text = std::move(text);
  response.input_tokens = 10;
  return response;
}

class CachedModelClientTest : public testing::Test {
 protected:
  ModelAnswer Ask(ModelRequest request, CallContext context = {}) {
    request.model_uri = "openai:/m";
    ModelAnswer answer;
    client_->Complete(std::move(request), std::move(context), answer.Taker());
    return answer;
  }
  static ModelRequest Repeatable(std::string text = "hi") {
    ModelRequest request;
    request.messages = {{ChatRole::kUser, std::move(text)}};
    request.parameters["temperature"] = 0;
    return request;
  }
  static CallContext Cancellable() {
    CallContext context;
    context.cancel = std::make_shared<CancellationToken>();
    return context;
  }
  void NewClient(CacheMode mode) {
    client_ = std::make_unique<CachedModelClient>(
        inner_, cache_, mode,
        CachedModelClient::Dependencies{
            .executor = &executor_,
            .timers = &timers_,
            .clock = &clock_,
            .identity = [this](std::string_view) { return identity_; },
            .on_hit = [this](const ModelAccount&, const std::string&) { ++hits_; }});
  }
  void SetUp() override { NewClient(CacheMode::kRepeatable); }

  InlineExecutor executor_;
  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  ModelScript script_;
  ScriptedModel inner_{&script_};
  InMemoryCache cache_;
  std::string identity_ = "server";
  int hits_ = 0;
  std::unique_ptr<CachedModelClient> client_;
};

TEST_F(CachedModelClientTest, TheSecondQuestionIsFree) {
  script_.answers.emplace_back(Text("yes"));
  const ModelAnswer first = Ask(Repeatable());
  EXPECT_FALSE((*first)->cache_hit);
  const ModelAnswer second = Ask(Repeatable());
  EXPECT_EQ((*second)->text, "yes");
  EXPECT_TRUE((*second)->cache_hit);
  EXPECT_EQ((*second)->attempts, 0);
  EXPECT_THAT(script_.requests, SizeIs(1));
  EXPECT_EQ(hits_, 1);
}

TEST_F(CachedModelClientTest, OnlyRepeatableQuestionsAreCachedByDefault) {
  for (auto [name, value, cached] : {std::tuple("temperature", 0.0, true),
                                     {"temperature", 0.7, false},
                                     {"seed", 7.0, true},
                                     {"max_tokens", 7.0, false}}) {
    cache_.kept.clear();
    script_.requests.clear();
    ModelRequest request = Repeatable();
    request.parameters = {{name, value}};
    for (int i = 0; i < 2; ++i) {
      script_.answers.assign(1, Text("x"));
      Ask(request);
    }
    EXPECT_EQ(script_.requests.size(), cached ? 1u : 2u) << name << value;
  }
}

TEST_F(CachedModelClientTest, ModesAndUnknownServers) {
  NewClient(CacheMode::kAll);
  ModelRequest request = Repeatable();
  request.parameters.clear();
  script_.answers.emplace_back(Text("x"));
  Ask(request);
  EXPECT_TRUE((*Ask(request))->cache_hit);
  NewClient(CacheMode::kOff);
  script_.answers.emplace_back(Text("x"));
  EXPECT_FALSE((*Ask(Repeatable()))->cache_hit);
  NewClient(CacheMode::kAll);
  identity_ = "";
  script_.answers.emplace_back(Text("x"));
  EXPECT_FALSE((*Ask(request))->cache_hit);
}

TEST_F(CachedModelClientTest, BypassAsksAndReplaces) {
  script_.answers.emplace_back(Text("old"));
  Ask(Repeatable());
  ModelRequest request = Repeatable();
  request.bypass_cache = true;
  script_.answers.emplace_back(Text("new"));
  EXPECT_EQ((*Ask(request))->text, "new");
  EXPECT_EQ((*Ask(Repeatable()))->text, "new");
  EXPECT_THAT(script_.requests, SizeIs(2));
}

TEST_F(CachedModelClientTest, ErrorsAndTruncatedAnswersAreNotKept) {
  script_.answers.emplace_back(absl::InternalError("x"));
  Ask(Repeatable());
  ModelResponse cut = Text("cut");
  cut.truncated = true;
  script_.answers.emplace_back(cut);
  Ask(Repeatable());
  EXPECT_TRUE(cache_.kept.empty());
}

TEST_F(CachedModelClientTest, EqualQuestionsShareOneCall) {
  const ModelAnswer first = Ask(Repeatable());
  const ModelAnswer second = Ask(Repeatable());
  ModelRequest sample = Repeatable();
  sample.sample = 1;
  Ask(sample);
  ModelRequest elsewhere = Repeatable();
  elsewhere.account.experiment = "experiments/other";
  Ask(elsewhere);
  ASSERT_THAT(script_.requests, SizeIs(3));
  script_.AnswerOpen(Text("yes"));
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ((*first)->input_tokens, 10);
  EXPECT_FALSE((*first)->cache_hit);
  EXPECT_EQ((*second)->text, "yes");
  EXPECT_TRUE((*second)->cache_hit);
  EXPECT_EQ((*second)->input_tokens, 0);
  EXPECT_EQ(hits_, 1);
}

TEST_F(CachedModelClientTest, TheCallGoesOnWhenItsFirstCallerHasGone) {
  const CallContext context = Cancellable();
  const ModelAnswer first = Ask(Repeatable(), context);
  const ModelAnswer second = Ask(Repeatable());
  context.cancel->Cancel();
  ASSERT_TRUE(first.has_value());
  EXPECT_THAT(*first, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(second.has_value());
  script_.AnswerOpen(Text("yes"));
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE((*second)->cache_hit);
  EXPECT_THAT(script_.requests, SizeIs(1));
}

TEST_F(CachedModelClientTest, TheCallIsCancelledWhenNobodyWaits) {
  const CallContext one = Cancellable();
  const CallContext two = Cancellable();
  Ask(Repeatable(), one);
  Ask(Repeatable(), two);
  one.cancel->Cancel();
  EXPECT_FALSE(script_.contexts.at(0).Cancelled());
  two.cancel->Cancel();
  EXPECT_TRUE(script_.contexts.at(0).Cancelled());
  // Whoever comes now begins anew.
  Ask(Repeatable());
  EXPECT_THAT(script_.requests, SizeIs(2));
}

TEST_F(CachedModelClientTest, EachWaitsAsLongAsItCan) {
  CallContext longer;
  longer.deadline = clock_.Now() + absl::Seconds(10);
  CallContext shorter;
  shorter.deadline = clock_.Now() + absl::Seconds(2);
  const ModelAnswer first = Ask(Repeatable(), longer);
  const ModelAnswer second = Ask(Repeatable(), shorter);
  clock_.Advance(absl::Seconds(2));
  ASSERT_TRUE(second.has_value());
  EXPECT_THAT(*second, HasReason("MODEL_TIMEOUT"));
  EXPECT_FALSE(first.has_value());
  script_.AnswerOpen(Text("yes"));
  EXPECT_OK(*first);
}

TEST_F(CachedModelClientTest, WhoeverHasMoreTimeIsAskedForAgain) {
  CallContext shorter;
  shorter.deadline = clock_.Now() + absl::Seconds(2);
  const ModelAnswer first = Ask(Repeatable(), shorter);
  CallContext longer;
  longer.deadline = clock_.Now() + absl::Seconds(10);
  const ModelAnswer second = Ask(Repeatable(), longer);
  clock_.Advance(absl::Seconds(3));
  script_.AnswerOpen(MakeError(absl::StatusCode::kDeadlineExceeded, "MODEL_TIMEOUT", "late"));
  ASSERT_THAT(script_.requests, SizeIs(2));
  EXPECT_EQ(script_.contexts.at(1).deadline, longer.deadline);
  script_.AnswerOpen(Text("yes"));
  EXPECT_OK(*second);
}

}  // namespace
}  // namespace assay::judge
