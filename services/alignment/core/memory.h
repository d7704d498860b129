// What a candidate judge remembers.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_MEMORY_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_MEMORY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

// A revision of a judge, and each of its requests, must fit into a message.
inline constexpr size_t kMaxMemoryBytes = size_t{5} << 19;

// A judge without what it learned from any of these cases: a guideline goes if one of its source
// traces is among them, an example if its trace is. So neither measurement profits from the labels
// it is held against. `*left_out` counts what went. Thread-safe, as all here.
registry::v1::JudgeDefinition WithoutMemoryOf(const std::vector<LabelledCase>& cases,
                                              const registry::v1::JudgeDefinition& judge,
                                              int* left_out);

// Past cases as examples, with embeddings. `wrong[i]` tells whether the unaligned judge disagreed
// on cases[i]; those come first where not all fit into `max_bytes`. The order is that of `chosen`.
struct ExampleSet {
  std::vector<registry::v1::MemoryExample> examples;
  size_t left_out = 0;
};
ExampleSet MakeExamples(const std::vector<LabelledCase>& cases, const std::vector<size_t>& chosen,
                        const std::vector<bool>& wrong,
                        const std::vector<std::vector<float>>& embeddings, size_t max_bytes);

// `judge` with these guidelines and examples added to what it remembers, within the limits of
// JudgeMemory.
registry::v1::JudgeDefinition WithMemory(const registry::v1::JudgeDefinition& judge,
                                         absl::Span<const registry::v1::MemoryGuideline> guidelines,
                                         absl::Span<const registry::v1::MemoryExample> examples,
                                         int retrieved_examples);

// The same judge for one item: of its examples only those that could be chosen for it, which are
// the nearest of those that the judge got wrong and the nearest of the others, `retrieved_examples`
// of each. The judge service chooses the same from these as from all, and a request stays small.
// The example of `trace` itself never
// stays, nor do the sources of guidelines, which no judge is shown.
registry::v1::JudgeDefinition NarrowedTo(const registry::v1::JudgeDefinition& judge,
                                         const std::string& trace,
                                         const std::vector<float>& embedding);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_MEMORY_H_
