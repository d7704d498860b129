#include "services/judge/core/offline/learned_rules.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/strings/strings.h"
#include "re2/re2.h"

namespace assay::judge::offline {

namespace {

using Effect = LearnedRule::Effect;

constexpr std::pair<std::string_view, Effect> kEffects[] = {
    {"at most", Effect::kAtMost},           {"no better than", Effect::kAtMost},
    {"no higher than", Effect::kAtMost},    {"not above", Effect::kAtMost},
    {"never better than", Effect::kAtMost}, {"capped at", Effect::kAtMost},
    {"cap it at", Effect::kAtMost},         {"not more than", Effect::kAtMost},
    {"at least", Effect::kAtLeast},         {"no worse than", Effect::kAtLeast},
    {"not below", Effect::kAtLeast},        {"one level higher", Effect::kHigher},
    {"one level better", Effect::kHigher},  {"one level more", Effect::kHigher},
    {"one level up", Effect::kHigher},      {"raise", Effect::kHigher},
    {"one level lower", Effect::kLower},    {"one level worse", Effect::kLower},
    {"one level down", Effect::kLower},     {"lower the", Effect::kLower},
};

constexpr std::string_view kExactly[] = {"rate it",       "rated",        "should be rated",
                                         "must be rated", "is rated",     "the result is",
                                         "the rating is", "answer",       "give it",
                                         "judge it",      "the value is", "the verdict is"};

std::string Flat(std::string_view text) { return LexicalText(text).flat(); }

// The position of the first category of `scale` in `flat` at or after `from`, and its goodness.
std::optional<double> CategoryAfter(const std::string& flat, size_t from, const ValueScale& scale) {
  size_t nearest = std::string::npos;
  size_t longest = 0;
  std::optional<double> goodness;
  for (const std::string& category : scale.categories()) {
    const std::string name = Flat(category);
    const size_t found = flat.find(name, from > 0 ? from - 1 : 0);
    if (found == std::string::npos) continue;
    if (found < nearest || (found == nearest && name.size() > longest)) {
      nearest = found;
      longest = name.size();
      goodness = scale.GoodnessOf(category);
    }
  }
  if (goodness.has_value()) return goodness;
  static const RE2* const word = new RE2(R"( (true|false|\d+) )");
  std::string value;
  if (from < flat.size() &&
      RE2::PartialMatch(flat.substr(from > 0 ? from - 1 : 0), *word, &value)) {
    return scale.GoodnessOf(value);
  }
  return std::nullopt;
}

struct EffectFound {
  Effect effect;
  double goodness;
  size_t at;  // In the flat text.
};

std::optional<EffectFound> FindEffect(const std::string& flat, const ValueScale& scale) {
  for (const auto& [words, effect] : kEffects) {
    const size_t at = flat.find(StrCat(" ", words, " "));
    if (at == std::string::npos) continue;
    if (effect == Effect::kHigher || effect == Effect::kLower) return EffectFound{effect, 0, at};
    const std::optional<double> goodness = CategoryAfter(flat, at + words.size() + 1, scale);
    if (goodness.has_value()) return EffectFound{effect, *goodness, at};
  }
  for (const std::string_view words : kExactly) {
    const size_t at = flat.find(StrCat(" ", words, " "));
    if (at == std::string::npos) continue;
    const std::optional<double> goodness = CategoryAfter(flat, at + words.size() + 1, scale);
    if (goodness.has_value()) return EffectFound{Effect::kExactly, *goodness, at};
  }
  return std::nullopt;
}

std::vector<std::string> QuotedTerms(std::string_view text, const ValueScale& scale) {
  static const RE2* const quoted =
      new RE2("[\"`\xE2\x80\x9C]([^\"`\xE2\x80\x9D]{2,80})[\"`\xE2\x80\x9D]");
  std::vector<std::string> terms;
  const std::string copy(text);
  re2::StringPiece rest(copy);
  std::string term;
  while (RE2::FindAndConsume(&rest, *quoted, &term)) {
    const auto& categories = scale.categories();
    if (std::find(categories.begin(), categories.end(), term) == categories.end())
      terms.push_back(term);
  }
  return terms;
}

bool TermsOccur(const LearnedRule& rule, const LexicalText& where) {
  return std::any_of(rule.terms.begin(), rule.terms.end(), [&](const std::string& term) {
    return where.flat().find(Flat(term)) != std::string::npos;
  });
}

// The words of a condition, but for those that all conditions have.
std::set<std::string> ConditionStems(const std::string& condition) {
  std::set<std::string> stems = LexicalText(condition).ContentStems();
  for (const std::string_view word :
       {"response", "request", "customer", "mention", "mentions", "contains", "contain", "says",
        "include", "includes", "answer", "user", "reply", "talks", "using", "rate", "when"}) {
    stems.erase(Stem(word));
  }
  return stems;
}

}  // namespace

bool LearnedRule::AppliesTo(const LexicalText& request, const LexicalText& response) const {
  if (!terms.empty()) return TermsOccur(*this, in_request ? request : response) != terms_absent;
  if (concept_seen != nullptr) return concept_seen->seen_in(request, response);
  const std::set<std::string> stems = ConditionStems(condition);
  return !stems.empty() && Coverage(stems, (in_request ? request : response).ContentStems()) >= 0.6;
}

std::optional<LearnedRule> ReadRule(std::string_view text, const ValueScale& scale) {
  const LexicalText words(text);
  const std::optional<EffectFound> effect = FindEffect(words.flat(), scale);
  if (!effect.has_value()) return std::nullopt;
  LearnedRule rule;
  rule.effect = effect->effect;
  rule.goodness = effect->goodness;
  rule.text = std::string(text);
  rule.terms = QuotedTerms(text, scale);
  // "If ..., rate it ..." or "Rate ... if ...": what is not the effect is the condition.
  static const RE2* const before = new RE2(
      R"((?is)^\s*(?:if|when|where|whenever)\s+(.*?),\s*(?:then\s+)?(?:rate|the|it|give|judge|answer|raise|lower|cap|its)\b)");
  static const RE2* const after = new RE2(R"((?is)\b(?:if|when|whenever)\s+(.*))");
  if (!RE2::PartialMatch(rule.text, *before, &rule.condition) &&
      !RE2::PartialMatch(rule.text, *after, &rule.condition)) {
    rule.condition = rule.text;
  }
  const LexicalText condition(rule.condition);
  rule.concept_seen = ConceptOf(condition);
  rule.in_request = condition.HasAny({"the request mentions", "the request contains",
                                      "the request says", "the customer mentions",
                                      "the customer asks", "the request asks", "the request is"});
  rule.terms_absent = condition.HasAny({"does not mention", "doesn't mention", "does not contain",
                                        "doesn't contain", "does not say", "does not include",
                                        "without mentioning", "mentions neither"});
  return rule;
}

double ApplyRules(const std::vector<LearnedRule>& rules, const LexicalText& request,
                  const LexicalText& response, double goodness, size_t steps,
                  std::vector<std::string>* applied) {
  const double level = 1.0 / static_cast<double>(std::max<size_t>(steps, 2));
  const auto apply = [&](bool caps) {
    for (const LearnedRule& rule : rules) {
      const bool is_cap = rule.effect == Effect::kAtMost || rule.effect == Effect::kExactly;
      if (is_cap != caps || !rule.AppliesTo(request, response)) continue;
      const double before = goodness;
      if (rule.effect == Effect::kAtMost) goodness = std::min(goodness, rule.goodness);
      if (rule.effect == Effect::kAtLeast) goodness = std::max(goodness, rule.goodness);
      if (rule.effect == Effect::kExactly) goodness = rule.goodness;
      if (rule.effect == Effect::kHigher) goodness = std::min(goodness + level, 1.0);
      if (rule.effect == Effect::kLower) goodness = std::max(goodness - level, 0.0);
      if (goodness != before) applied->push_back(rule.text);
    }
  };
  apply(false);
  apply(true);
  return goodness;
}

}  // namespace assay::judge::offline
