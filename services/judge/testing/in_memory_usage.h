// Usage and budgets that nothing outlives. For tests.
#ifndef ASSAY_SERVICES_JUDGE_TESTING_IN_MEMORY_USAGE_H_
#define ASSAY_SERVICES_JUDGE_TESTING_IN_MEMORY_USAGE_H_

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "services/judge/store/kv_usage_store.h"

namespace assay::judge {

struct InMemoryUsage {
  InMemoryUsage(Executor& executor, Clock& clock)
      : kv_store(executor, clock), store(kv_store, executor, clock) {}

  kv::MemoryStore kv_store;
  KvUsageStore store;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_TESTING_IN_MEMORY_USAGE_H_
