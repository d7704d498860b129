// The alignment service's store in memory, for tests.
#ifndef ASSAY_SERVICES_ALIGNMENT_TESTING_IN_MEMORY_STORE_H_
#define ASSAY_SERVICES_ALIGNMENT_TESTING_IN_MEMORY_STORE_H_

#include "absl/time/time.h"
#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "services/alignment/store/kv_alignment_store.h"

namespace assay::alignment {

struct InMemoryStore {
  FakeClock clock{absl::FromUnixSeconds(1'800'000'000)};
  ThreadPool executor{"alignment", 3};
  kv::MemoryStore kv_store{executor, clock};
  KvAlignmentStore store{kv_store, executor, clock};

  ~InMemoryStore() { executor.Shutdown(); }
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_TESTING_IN_MEMORY_STORE_H_
