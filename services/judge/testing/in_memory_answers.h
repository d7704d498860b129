// Paid answers in memory; for tests.
#ifndef ASSAY_SERVICES_JUDGE_TESTING_IN_MEMORY_ANSWERS_H_
#define ASSAY_SERVICES_JUDGE_TESTING_IN_MEMORY_ANSWERS_H_

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "services/judge/store/kv_answer_store.h"

namespace assay::judge {

struct InMemoryAnswers {
  InMemoryAnswers(Executor& executor, Clock& clock)
      : kv_store(executor, clock), store(kv_store, clock) {}

  kv::MemoryStore kv_store;
  KvAnswerStore store;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_TESTING_IN_MEMORY_ANSWERS_H_
