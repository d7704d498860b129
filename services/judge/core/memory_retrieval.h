// Chooses the labelled examples that a judge is shown.
#ifndef ASSAY_SERVICES_JUDGE_CORE_MEMORY_RETRIEVAL_H_
#define ASSAY_SERVICES_JUDGE_CORE_MEMORY_RETRIEVAL_H_

#include <string_view>
#include <vector>

#include "assay/registry/v1/judge.pb.h"

namespace assay::judge {

struct RetrievedExample {
  const registry::v1::MemoryExample* example = nullptr;  // Points into the memory.
  double similarity = 0;
};

// The examples nearest to the item by inputs and outputs (JSON texts, either may be empty), most
// similar first: three fifths of them, rounded up, are cases that the unaligned judge got wrong, if
// there are as many. An example of `judged_trace` (a resource name or an id) itself is never
// chosen. Exact search; embeddings that are missing are made here. Thread-safe.
std::vector<RetrievedExample> RetrieveExamples(const registry::v1::JudgeMemory& memory,
                                               std::string_view inputs, std::string_view outputs,
                                               std::string_view judged_trace);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_MEMORY_RETRIEVAL_H_
