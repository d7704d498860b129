// What can be said about the equivalence of two answers without asking a model.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_EQUIVALENCE_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_EQUIVALENCE_H_

#include <optional>
#include <string>
#include <string_view>

namespace assay::judge {

struct CodeDecision {
  bool yes = false;
  std::string why;  // For people.
};

// Numbers within a relative 1e-9 of each other are equivalent, also where one or both are texts
// that read as numbers; two JSON numbers further apart are not. Equal texts (white space at the ends
// aside) and equal JSON values are; `true` and `false` are not. nullopt: a model has to say.
// Both must be valid JSON. Thread-safe.
std::optional<CodeDecision> EquivalentByCode(std::string_view response, std::string_view expected);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_EQUIVALENCE_H_
