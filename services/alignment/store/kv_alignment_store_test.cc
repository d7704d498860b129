#include "services/alignment/store/kv_alignment_store.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "common/kv/rocks_store.h"
#include "services/alignment/testing/alignment_store_conformance.h"
#include "services/alignment/testing/in_memory_store.h"

namespace assay::alignment {
namespace {

class OnMemory {
 public:
  AlignmentStore& store() { return memory_.store; }

 private:
  InMemoryStore memory_;
};

class OnRocks {
 public:
  OnRocks() {
    kv::RocksStoreOptions options;
    options.path = FreshDirectory();
    options.store_name = "alignment";
    kv_store_ = *kv::OpenRocksStore(std::move(options), executor_, clock_);
    store_ = std::make_unique<KvAlignmentStore>(*kv_store_, executor_, clock_);
  }
  ~OnRocks() { executor_.Shutdown(); }
  AlignmentStore& store() { return *store_; }

 private:
  static std::string FreshDirectory() {
    std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/alignment-XXXXXX";
    return mkdtemp(path.data());
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  ThreadPool executor_{"alignment", 2};
  std::unique_ptr<kv::Store> kv_store_;
  std::unique_ptr<KvAlignmentStore> store_;
};

using Engines = testing::Types<OnMemory, OnRocks>;
INSTANTIATE_TYPED_TEST_SUITE_P(Engines, AlignmentStoreConformance, Engines);

}  // namespace
}  // namespace assay::alignment
