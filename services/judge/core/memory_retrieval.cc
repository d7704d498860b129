#include "services/judge/core/memory_retrieval.h"

#include <algorithm>
#include <string>

#include "absl/types/span.h"
#include "common/embed/embed.h"
#include "common/json/json_value.h"
#include "common/judging/example_text.h"
#include "common/judging/judge_definition.h"

namespace assay::judge {

namespace {

using registry::v1::JudgeMemory;
using registry::v1::MemoryExample;

std::string_view TraceId(std::string_view name) { return name.substr(name.rfind('/') + 1); }

std::string TextOrEmpty(const common::v1::JsonValue& value) {
  absl::StatusOr<std::string> text = json::JsonText(value, "value");
  return text.ok() ? *std::move(text) : "";
}

double Similarity(absl::Span<const float> query, const MemoryExample& example) {
  if (example.embedding_size() > 0) {
    return embed::CosineSimilarity(
        query, absl::MakeConstSpan(example.embedding().data(), example.embedding_size()));
  }
  return embed::CosineSimilarity(
      query, judging::EmbedExample(TextOrEmpty(example.inputs()), TextOrEmpty(example.outputs())));
}

bool MoreSimilar(const RetrievedExample& a, const RetrievedExample& b) {
  return a.similarity > b.similarity;
}

// The first `wrong_wanted` cases that the judge got wrong, then the nearest of the others, up to
// `k`.
std::vector<RetrievedExample> Choose(const std::vector<RetrievedExample>& sorted, size_t k) {
  const size_t wrong_wanted = (k * 3 + 4) / 5;
  std::vector<bool> taken(sorted.size(), false);
  std::vector<RetrievedExample> chosen;
  const auto take = [&](bool wrong, size_t limit) {
    for (size_t i = 0; i < sorted.size() && chosen.size() < limit; ++i) {
      if (taken[i] || sorted[i].example->judge_was_wrong() != wrong) continue;
      taken[i] = true;
      chosen.push_back(sorted[i]);
    }
  };
  take(true, wrong_wanted);
  take(false, k);
  take(true, k);
  std::stable_sort(chosen.begin(), chosen.end(), MoreSimilar);
  return chosen;
}

}  // namespace

std::vector<RetrievedExample> RetrieveExamples(const JudgeMemory& memory, std::string_view inputs,
                                               std::string_view outputs,
                                               std::string_view judged_trace) {
  if (memory.examples_size() == 0) return {};
  const std::vector<float> query = judging::EmbedExample(inputs, outputs);
  std::vector<RetrievedExample> all;
  all.reserve(memory.examples_size());
  for (const MemoryExample& example : memory.examples()) {
    if (!judged_trace.empty() && TraceId(example.trace()) == TraceId(judged_trace)) continue;
    all.push_back({&example, Similarity(query, example)});
  }
  std::stable_sort(all.begin(), all.end(), MoreSimilar);
  const int wanted = memory.retrieved_examples() > 0 ? memory.retrieved_examples()
                                                     : judging::kDefaultRetrievedExamples;
  return Choose(all, static_cast<size_t>(std::min(wanted, judging::kMaxRetrievedExamples)));
}

}  // namespace assay::judge
