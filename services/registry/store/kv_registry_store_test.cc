#include "services/registry/store/kv_registry_store.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "common/kv/rocks_store.h"
#include "services/registry/testing/in_memory_registry.h"
#include "services/registry/testing/registry_store_conformance.h"

namespace assay::registry {
namespace {

class OnMemory {
 public:
  RegistryStore& store() { return registry_.store; }

 private:
  InMemoryRegistry registry_;
};

class OnRocks {
 public:
  OnRocks() {
    kv::RocksStoreOptions options;
    options.path = FreshDirectory();
    options.store_name = "registry";
    kv_store_ = *kv::OpenRocksStore(std::move(options), executor_, clock_);
    store_ = std::make_unique<KvRegistryStore>(*kv_store_, executor_, clock_);
  }
  ~OnRocks() { executor_.Shutdown(); }
  RegistryStore& store() { return *store_; }

 private:
  static std::string FreshDirectory() {
    std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/registry-XXXXXX";
    return mkdtemp(path.data());
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  ThreadPool executor_{"registry", 2};
  std::unique_ptr<kv::Store> kv_store_;
  std::unique_ptr<KvRegistryStore> store_;
};

using Engines = testing::Types<OnMemory, OnRocks>;
INSTANTIATE_TYPED_TEST_SUITE_P(Engines, RegistryStoreConformance, Engines);

}  // namespace
}  // namespace assay::registry
