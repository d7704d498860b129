#include "services/judge/store/kv_usage_store.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/kv/rocks_store.h"
#include "common/kv/testing/memory_store.h"
#include "services/judge/testing/usage_store_conformance.h"

namespace assay::judge {
namespace {

class OnMemory {
 public:
  ~OnMemory() { executor_.Shutdown(); }
  UsageStore& store() { return store_; }

 private:
  FakeClock clock_;
  ThreadPool executor_{"judge", 2};
  kv::MemoryStore kv_store_{executor_, clock_};
  KvUsageStore store_{kv_store_, executor_, clock_};
};

class OnRocks {
 public:
  OnRocks() {
    std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/usage-XXXXXX";
    kv::RocksStoreOptions options;
    options.path = mkdtemp(path.data());
    options.store_name = "judge";
    kv_store_ = *kv::OpenRocksStore(std::move(options), executor_, clock_);
    store_ = std::make_unique<KvUsageStore>(*kv_store_, executor_, clock_);
  }
  ~OnRocks() { executor_.Shutdown(); }
  UsageStore& store() { return *store_; }

 private:
  FakeClock clock_;
  ThreadPool executor_{"judge", 2};
  std::unique_ptr<kv::Store> kv_store_;
  std::unique_ptr<KvUsageStore> store_;
};

using Engines = testing::Types<OnMemory, OnRocks>;
INSTANTIATE_TYPED_TEST_SUITE_P(Engines, UsageStoreConformance, Engines);

}  // namespace
}  // namespace assay::judge
