// Guidelines learned from feedback, as far as the lexical stand-in can follow them.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEARNED_RULES_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEARNED_RULES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/judge/core/offline/concepts.h"
#include "services/judge/core/offline/lexical_text.h"
#include "services/judge/core/offline/value_scale.h"

namespace assay::judge::offline {

// "If the response mentions "x" or is rude, rate it at most poor."
struct LearnedRule {
  enum class Effect { kAtMost, kAtLeast, kExactly, kHigher, kLower };

  Effect effect = Effect::kAtMost;
  double goodness = 0;  // Of the value that the effect names.
  // The condition: a concept, or quoted terms, or else the words of the condition.
  const Concept* concept_seen = nullptr;
  std::vector<std::string> terms;
  bool terms_absent = false;  // The condition is that none of the terms occurs.
  bool in_request = false;    // The terms are the request's.
  std::string condition;
  std::string text;

  bool AppliesTo(const LexicalText& request, const LexicalText& response) const;
};

// nullopt if no effect on the rating can be read from the text. Thread-safe, as all here.
std::optional<LearnedRule> ReadRule(std::string_view text, const ValueScale& scale);

// `goodness` after the rules that apply: first what raises and lowers, then what caps. Appends the
// texts of those that changed something to `*applied`.
double ApplyRules(const std::vector<LearnedRule>& rules, const LexicalText& request,
                  const LexicalText& response, double goodness, size_t steps,
                  std::vector<std::string>* applied);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEARNED_RULES_H_
