#include "services/judge/store/kv_response_cache.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/kv/rocks_store.h"
#include "common/kv/testing/memory_store.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

std::string Key(int number) {
  std::string key(32, 'k');
  key[0] = static_cast<char>('a' + number);
  return key;
}

ModelResponse Answer(std::string text) {
  ModelResponse response;
  response.text = std::move(text);
  response.answered_by = "m-1";
  response.input_tokens = 100;
  response.tool_calls = {{"1", "f", "{\"a\":1}"}};
  response.token_probabilities = {{"yes", 0.75, {{"yes", 0.75}, {"no", 0.25}}}};
  return response;
}

// On an engine of kv::Store; `InlineExecutor` makes it one thread.
template <class Engine>
class KvResponseCacheTest : public testing::Test {
 protected:
  void NewCache(KvResponseCache::Options options = {}) {
    cache_ = std::make_unique<KvResponseCache>(engine_.store(clock_), executor_, timers_, clock_,
                                               options);
  }
  void SetUp() override { NewCache(); }

  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  InlineExecutor executor_;
  Engine engine_;
  std::unique_ptr<KvResponseCache> cache_;
};

class OnMemory {
 public:
  kv::Store& store(Clock& clock) {
    if (store_ == nullptr) store_ = std::make_unique<kv::MemoryStore>(executor_, clock);
    return *store_;
  }
  void Reopen() {}

 private:
  InlineExecutor executor_;
  std::unique_ptr<kv::MemoryStore> store_;
};

class OnRocks {
 public:
  ~OnRocks() { executor_.Shutdown(); }
  kv::Store& store(Clock& clock) {
    if (store_ == nullptr) {
      kv::RocksStoreOptions options;
      options.path = path_;
      options.store_name = "judge";
      store_ = *kv::OpenRocksStore(std::move(options), executor_, clock);
    }
    return *store_;
  }
  void Reopen() { store_ = nullptr; }

 private:
  static std::string FreshDirectory() {
    std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/cache-XXXXXX";
    return mkdtemp(path.data());
  }
  const std::string path_ = FreshDirectory();
  ThreadPool executor_{"judge", 1};
  std::unique_ptr<kv::Store> store_;
};

using Engines = testing::Types<OnMemory, OnRocks>;
TYPED_TEST_SUITE(KvResponseCacheTest, Engines);

TYPED_TEST(KvResponseCacheTest, GivesBackWhatIsKept) {
  EXPECT_FALSE(this->cache_->Find(Key(1)).has_value());
  this->cache_->Keep(Key(1), Answer("yes"));
  for (int i = 0; i < 2; ++i) {  // From memory, then from the store.
    const std::optional<ModelResponse> found = this->cache_->Find(Key(1));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->text, "yes");
    EXPECT_EQ(found->answered_by, "m-1");
    EXPECT_EQ(found->tool_calls.at(0).arguments, "{\"a\":1}");
    EXPECT_EQ(found->token_probabilities.at(0).alternatives.at(1).first, "no");
    EXPECT_TRUE(found->cache_hit);
    EXPECT_EQ(found->attempts, 0);
    EXPECT_EQ(found->input_tokens, 0);
    EXPECT_EQ(found->cost_usd, 0);
    this->cache_->FlushAndWait();
  }
}

TYPED_TEST(KvResponseCacheTest, OutlivesTheProcessAfterAWrite) {
  this->cache_->Keep(Key(1), Answer("yes"));
  this->cache_->FlushAndWait();
  this->cache_->Keep(Key(2), Answer("lost"));
  this->cache_.reset();
  this->engine_.Reopen();
  this->NewCache();
  EXPECT_TRUE(this->cache_->Find(Key(1)).has_value());
  EXPECT_FALSE(this->cache_->Find(Key(2)).has_value());
}

TYPED_TEST(KvResponseCacheTest, ForgetsAfterItsTime) {
  this->NewCache({.ttl = absl::Hours(1)});
  this->cache_->Keep(Key(1), Answer("yes"));
  this->cache_->FlushAndWait();
  this->clock_.Advance(absl::Minutes(59));
  EXPECT_TRUE(this->cache_->Find(Key(1)).has_value());
  this->clock_.Advance(absl::Minutes(2));
  EXPECT_FALSE(this->cache_->Find(Key(1)).has_value());
}

TYPED_TEST(KvResponseCacheTest, LaterAnswersReplace) {
  this->cache_->Keep(Key(1), Answer("old"));
  this->cache_->FlushAndWait();
  this->cache_->Keep(Key(1), Answer("new"));
  EXPECT_EQ(this->cache_->Find(Key(1))->text, "new");
  this->cache_->FlushAndWait();
  EXPECT_EQ(this->cache_->Find(Key(1))->text, "new");
}

TYPED_TEST(KvResponseCacheTest, LargeAnswersAreNotKept) {
  this->cache_->Keep(Key(1), Answer(std::string(2 << 20, 'x')));
  EXPECT_FALSE(this->cache_->Find(Key(1)).has_value());
}

TEST(KvResponseCacheSizeTest, TheOldestGoFirst) {
  FakeClock clock;
  FakeTimerQueue timers(&clock);
  InlineExecutor executor;
  kv::MemoryStore store(executor, clock);
  KvResponseCache cache(store, executor, timers, clock, {.max_bytes = 10'000});
  for (int i = 0; i < 20; ++i) {
    cache.Keep(Key(i), Answer(std::string(1000, 'x')));
    cache.FlushAndWait();
    clock.Advance(absl::Minutes(30));
  }
  EXPECT_LE(cache.bytes(), 10'000);
  EXPECT_FALSE(cache.Find(Key(0)).has_value());
  EXPECT_TRUE(cache.Find(Key(19)).has_value());
}

TEST(KvResponseCacheSizeTest, WritesComeTogetherAfterAMoment) {
  FakeClock clock;
  FakeTimerQueue timers(&clock);
  InlineExecutor executor;
  kv::MemoryStore store(executor, clock);
  KvResponseCache cache(store, executor, timers, clock, {});
  cache.Keep(Key(1), Answer("a"));
  cache.Keep(Key(2), Answer("b"));
  EXPECT_EQ(cache.bytes(), 0);
  EXPECT_EQ(timers.pending(), 1u);
  clock.Advance(absl::Seconds(1));
  EXPECT_GT(cache.bytes(), 0);
  EXPECT_EQ(timers.pending(), 0u);
}

}  // namespace
}  // namespace assay::judge
