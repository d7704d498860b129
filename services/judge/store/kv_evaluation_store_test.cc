#include "services/judge/store/kv_evaluation_store.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/kv/rocks_store.h"
#include "common/kv/testing/memory_store.h"
#include "services/judge/testing/evaluation_store_conformance.h"

namespace assay::judge {
namespace {

class OnMemory {
 public:
  ~OnMemory() { executor_.Shutdown(); }
  EvaluationStore& store() { return store_; }

 private:
  FakeClock clock_;
  ThreadPool executor_{"judge", 2};
  kv::MemoryStore kv_store_{executor_, clock_};
  KvEvaluationStore store_{kv_store_, executor_, clock_};
};

class OnRocks {
 public:
  OnRocks() {
    kv::RocksStoreOptions options;
    options.path = FreshDirectory();
    options.store_name = "judge";
    kv_store_ = *kv::OpenRocksStore(std::move(options), executor_, clock_);
    store_ = std::make_unique<KvEvaluationStore>(*kv_store_, executor_, clock_);
  }
  ~OnRocks() { executor_.Shutdown(); }
  EvaluationStore& store() { return *store_; }

 private:
  static std::string FreshDirectory() {
    std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/judge-XXXXXX";
    return mkdtemp(path.data());
  }

  FakeClock clock_;
  ThreadPool executor_{"judge", 2};
  std::unique_ptr<kv::Store> kv_store_;
  std::unique_ptr<KvEvaluationStore> store_;
};

using Engines = testing::Types<OnMemory, OnRocks>;
INSTANTIATE_TYPED_TEST_SUITE_P(Engines, EvaluationStoreConformance, Engines);

}  // namespace
}  // namespace assay::judge
