#include "services/alignment/core/memory.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/embed/embed.h"
#include "common/json/json_value.h"
#include "common/judging/judge_definition.h"

namespace assay::alignment {
namespace {

using registry::v1::JudgeDefinition;
using registry::v1::JudgeMemory;
using registry::v1::MemoryExample;
using registry::v1::MemoryGuideline;

MemoryExample MakeExample(const LabelledCase& labelled, bool wrong,
                          const std::vector<float>& embedding) {
  MemoryExample example;
  example.set_trace(labelled.trace);
  if (labelled.inputs.has_value()) *example.mutable_inputs() = json::JsonFromText(*labelled.inputs);
  if (labelled.outputs.has_value())
    *example.mutable_outputs() = json::JsonFromText(*labelled.outputs);
  *example.mutable_value() = json::JsonFromText(labelled.value);
  example.set_rationale(labelled.rationale);
  example.set_judge_was_wrong(wrong);
  example.mutable_embedding()->Add(embedding.begin(), embedding.end());
  return example;
}

struct Near {
  int index = 0;
  double similarity = 0;
};

// The `k` most similar, ties by order.
void KeepNearest(std::vector<Near>& candidates, size_t k) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Near& a, const Near& b) { return a.similarity > b.similarity; });
  if (candidates.size() > k) candidates.resize(k);
}

}  // namespace

JudgeDefinition WithoutMemoryOf(const std::vector<LabelledCase>& cases,
                                const JudgeDefinition& judge, int* left_out) {
  std::set<std::string> labelled;
  for (const LabelledCase& one : cases) labelled.insert(TraceIdOf(one.trace));
  JudgeDefinition stripped = judge;
  stripped.clear_memory();
  *left_out = 0;
  if (!judge.has_memory()) return stripped;
  JudgeMemory kept = judge.memory();
  kept.clear_guidelines();
  kept.clear_examples();
  for (const MemoryGuideline& guideline : judge.memory().guidelines()) {
    const bool taught =
        std::any_of(guideline.source_traces().begin(), guideline.source_traces().end(),
                    [&](const std::string& trace) { return labelled.contains(TraceIdOf(trace)); });
    if (taught) {
      ++*left_out;
    } else {
      *kept.add_guidelines() = guideline;
    }
  }
  for (const MemoryExample& example : judge.memory().examples()) {
    if (labelled.contains(TraceIdOf(example.trace()))) {
      ++*left_out;
    } else {
      *kept.add_examples() = example;
    }
  }
  if (kept.guidelines_size() > 0 || kept.examples_size() > 0)
    *stripped.mutable_memory() = std::move(kept);
  return stripped;
}

ExampleSet MakeExamples(const std::vector<LabelledCase>& cases, const std::vector<size_t>& chosen,
                        const std::vector<bool>& wrong,
                        const std::vector<std::vector<float>>& embeddings, size_t max_bytes) {
  std::vector<size_t> order = chosen;
  std::stable_partition(order.begin(), order.end(), [&](size_t item) { return wrong[item]; });
  std::set<size_t> kept;
  size_t bytes = 0;
  for (size_t item : order) {
    const size_t size = MakeExample(cases[item], wrong[item], embeddings[item]).ByteSizeLong() + 8;
    if (bytes + size > max_bytes) continue;
    if (kept.size() >= static_cast<size_t>(judging::kMaxMemoryExamples)) break;
    bytes += size;
    kept.insert(item);
  }
  ExampleSet result;
  for (size_t item : chosen) {
    if (kept.contains(item)) {
      result.examples.push_back(MakeExample(cases[item], wrong[item], embeddings[item]));
    } else {
      ++result.left_out;
    }
  }
  return result;
}

JudgeDefinition WithMemory(const JudgeDefinition& judge,
                           absl::Span<const MemoryGuideline> guidelines,
                           absl::Span<const MemoryExample> examples, int retrieved_examples) {
  JudgeDefinition aligned = judge;
  JudgeMemory& memory = *aligned.mutable_memory();
  for (const MemoryGuideline& guideline : guidelines) {
    if (memory.guidelines_size() >= judging::kMaxGuidelines) break;
    *memory.add_guidelines() = guideline;
  }
  for (const MemoryExample& example : examples) {
    if (memory.examples_size() >= judging::kMaxMemoryExamples) break;
    *memory.add_examples() = example;
  }
  memory.set_retrieved_examples(retrieved_examples);
  memory.set_embedding_model(std::string(judging::kEmbeddingModel));
  return aligned;
}

JudgeDefinition NarrowedTo(const JudgeDefinition& judge, const std::string& trace,
                           const std::vector<float>& embedding) {
  if (judge.memory().examples_size() == 0) return judge;
  std::vector<Near> wrong, right;
  for (int i = 0; i < judge.memory().examples_size(); ++i) {
    const MemoryExample& example = judge.memory().examples(i);
    if (TraceIdOf(example.trace()) == TraceIdOf(trace)) continue;
    const double similarity = embed::CosineSimilarity(
        embedding, absl::MakeConstSpan(example.embedding().data(),
                                       static_cast<size_t>(example.embedding_size())));
    (example.judge_was_wrong() ? wrong : right).push_back({i, similarity});
  }
  const int wanted = judge.memory().retrieved_examples() > 0 ? judge.memory().retrieved_examples()
                                                             : judging::kDefaultRetrievedExamples;
  KeepNearest(wrong, static_cast<size_t>(wanted));
  KeepNearest(right, static_cast<size_t>(wanted));
  std::set<int> kept;
  for (const Near& near : wrong) kept.insert(near.index);
  for (const Near& near : right) kept.insert(near.index);

  JudgeDefinition narrowed;
  // Copying thousands of examples only to drop them would dominate a pass over the labelled set.
  if (judge.has_instructions()) *narrowed.mutable_instructions() = judge.instructions();
  if (judge.has_guidelines()) *narrowed.mutable_guidelines() = judge.guidelines();
  if (judge.has_builtin()) *narrowed.mutable_builtin() = judge.builtin();
  if (judge.has_value_type()) *narrowed.mutable_value_type() = judge.value_type();
  narrowed.set_model(judge.model());
  if (judge.has_inference_parameters()) {
    *narrowed.mutable_inference_parameters() = judge.inference_parameters();
  }
  narrowed.set_description(judge.description());
  if (judge.has_confidence()) *narrowed.mutable_confidence() = judge.confidence();
  *narrowed.mutable_fallback_models() = judge.fallback_models();
  JudgeMemory& memory = *narrowed.mutable_memory();
  for (const MemoryGuideline& guideline : judge.memory().guidelines()) {
    memory.add_guidelines()->set_text(guideline.text());
  }
  for (int index : kept) *memory.add_examples() = judge.memory().examples(index);
  memory.set_retrieved_examples(judge.memory().retrieved_examples());
  memory.set_embedding_model(judge.memory().embedding_model());
  return narrowed;
}

}  // namespace assay::alignment
