// Things that people say about responses, and how to see them in the words of one.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_CONCEPTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_CONCEPTS_H_

#include <string_view>

#include "absl/types/span.h"
#include "services/judge/core/offline/lexical_text.h"

namespace assay::judge::offline {

struct Concept {
  std::string_view condition;  // As a guideline says it: "the response ...".
  absl::Span<const std::string_view>
      vocabulary;  // By which a rationale or guideline is found to speak of it.
  bool (*seen_in)(const LexicalText& request, const LexicalText& response);
  bool good = false;  // Speaks for a response, not against it.
};

// Thread-safe.
absl::Span<const Concept> Concepts();

// The concept that `text` speaks of most; null if it speaks of none.
const Concept* ConceptOf(const LexicalText& text);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_CONCEPTS_H_
